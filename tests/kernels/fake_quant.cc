#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/check.h"
#include "kernels/fake_quant/fake_quant.h"
#include "kernels/fake_quant/reference.h"
#include "tests/support/catch.h"

using namespace auxbench::fake_quant;

namespace {

const std::vector<ClipGrid> kGrids = {{.hi = 1, .steps = 1, .unit = 1, .bounds = BoundGradient::pass},
                                      {.hi = 1, .steps = 3, .unit = 1, .bounds = BoundGradient::pass},
                                      {.hi = 1, .steps = 255, .unit = 1, .bounds = BoundGradient::pass},
                                      {.hi = 6, .steps = 3, .unit = 1, .bounds = BoundGradient::stop},
                                      {.hi = 6, .steps = 3, .unit = 6, .bounds = BoundGradient::stop},
                                      {.hi = 6, .steps = 15, .unit = 6, .bounds = BoundGradient::stop_at_zero}};

template <typename T>
std::vector<T> awkward_numbers(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<T> spread(T(-2), T(8));
  std::vector<T> x(count);
  for (auto& value : x) value = spread(random);
  const std::vector<T> corners = {T(0),
                                  T(-0.0),
                                  T(1),
                                  T(6),
                                  T(0.5),
                                  T(1) / 6,
                                  T(1.5),
                                  std::numeric_limits<T>::infinity(),
                                  -std::numeric_limits<T>::infinity(),
                                  std::numeric_limits<T>::denorm_min()};
  for (size_t i = 0; i < corners.size() && i < count; ++i) x[i] = corners[i];
  return x;
}

template <typename Formula, typename T>
std::vector<T> mapped(const Formula& formula, const std::vector<T>& x) {
  std::vector<T> out(x.size());
  map(formula, std::span<const T>(x), std::span<T>(out));
  return out;
}

template <typename Formula, typename T>
std::vector<T> mapped(const Formula& formula, const std::vector<T>& x, const std::vector<T>& gradient) {
  std::vector<T> out(x.size());
  map(formula, std::span<const T>(x), std::span<const T>(gradient), std::span<T>(out));
  return out;
}

}  // namespace

TEMPLATE_TEST_CASE("the fast clipped quantizer equals the slow one bit for bit, at every length", "[kernels]", float,
                   double) {
  for (const auto& grid : kGrids) {
    for (const size_t count : {size_t{0}, size_t{1}, size_t{7}, size_t{64}, size_t{1001}}) {
      const auto x = awkward_numbers<TestType>(count, 1);
      const auto g = awkward_numbers<TestType>(count, 2);
      const auto y = mapped(ClipLevel<TestType>(grid), x);
      const auto dx = mapped(ClipGradient<TestType>(grid), x, g);
      for (size_t i = 0; i < count; ++i) {
        INFO("x = " << x[i] << ", hi = " << grid.hi << ", steps = " << grid.steps);
        REQUIRE(y[i] == reference::clip_level(x[i], grid));
        REQUIRE(dx[i] == reference::clip_gradient(x[i], g[i], grid));
      }
    }
  }
}

TEMPLATE_TEST_CASE("the fast DoReFa weight equals the slow one bit for bit", "[kernels]", float, double) {
  for (const double steps : {1.0, 3.0, 7.0, 255.0}) {
    std::vector<TestType> t = awkward_numbers<TestType>(257, 3);
    TestType largest = 0;
    for (auto& value : t) {
      value = std::tanh(value);
      largest = std::max(largest, std::abs(value));
    }
    const auto g = awkward_numbers<TestType>(t.size(), 5);
    const auto q = mapped(DorefaLevel<TestType>(largest, steps), t);
    const auto dt = mapped(DorefaGradient<TestType>(largest), t, g);
    for (size_t i = 0; i < t.size(); ++i) {
      REQUIRE(q[i] == reference::dorefa_level<TestType>(t[i], largest, steps));
      const auto want = reference::dorefa_gradient<TestType>(t[i], g[i], largest);
      REQUIRE((dt[i] == want || (std::isnan(dt[i]) && std::isnan(want))));
    }
  }
}

TEST_CASE("a clipped grid keeps NaN and gives it no gradient", "[kernels]") {
  const std::vector<float> x = {std::numeric_limits<float>::quiet_NaN(), 0.4F};
  const std::vector<float> g = {1.0F, 1.0F};
  CHECK(std::isnan(mapped(ClipLevel<float>({}), x)[0]));
  CHECK(mapped(ClipGradient<float>({}), x, g) == std::vector<float>{0.0F, 1.0F});
}

TEST_CASE("a clipped grid takes its own levels to themselves", "[kernels]") {
  for (const auto& grid : kGrids) {
    const auto once = mapped(ClipLevel<double>(grid), awkward_numbers<double>(500, 4));
    CHECK(once == mapped(ClipLevel<double>(grid), once));
  }
}

TEST_CASE("spans of different lengths are refused", "[kernels]") {
  const std::vector<float> three(3);
  std::vector<float> two(2);
  CHECK_THROWS_AS(map(ClipLevel<float>({}), std::span<const float>(three), std::span<float>(two)),
                  auxbench::LogicFault);
  CHECK_THROWS_AS(mapped(DorefaGradient<float>(1), three, two), auxbench::LogicFault);
}
