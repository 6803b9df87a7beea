#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/check.h"
#include "kernels/fake_quant/fake_quant.h"
#include "kernels/fake_quant/reference.h"
#include "tests/support/catch.h"

using auxbench::BoundGradient;
using auxbench::ClipGrid;

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

}  // namespace

TEMPLATE_TEST_CASE("the fast clipped quantizer equals the slow one bit for bit, at every length", "[kernels]", float,
                   double) {
  for (const auto& grid : kGrids) {
    for (const size_t count : {size_t{0}, size_t{1}, size_t{7}, size_t{64}, size_t{1001}}) {
      const auto x = awkward_numbers<TestType>(count, 1);
      const auto g = awkward_numbers<TestType>(count, 2);
      std::vector<TestType> y(count), dx(count);
      auxbench::clip_quantize<TestType>(x, grid, y);
      auxbench::clip_quantize_backward<TestType>(x, g, grid, dx);
      for (size_t i = 0; i < count; ++i) {
        INFO("x = " << x[i] << ", hi = " << grid.hi << ", steps = " << grid.steps);
        REQUIRE(y[i] == auxbench::reference::clip_quantize(x[i], grid));
        REQUIRE(dx[i] == auxbench::reference::clip_quantize_backward(x[i], g[i], grid));
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
    std::vector<TestType> q(t.size());
    auxbench::dorefa_weight<TestType>(t, largest, steps, q);
    for (size_t i = 0; i < t.size(); ++i) REQUIRE(q[i] == auxbench::reference::dorefa_weight(t[i], largest, steps));
  }
}

TEST_CASE("a clipped grid keeps NaN and gives it no gradient", "[kernels]") {
  const std::vector<float> x = {std::numeric_limits<float>::quiet_NaN(), 0.4F};
  const std::vector<float> g = {1.0F, 1.0F};
  std::vector<float> out(2);
  auxbench::clip_quantize<float>(x, {}, out);
  CHECK(std::isnan(out[0]));
  auxbench::clip_quantize_backward<float>(x, g, {}, out);
  CHECK(out[0] == 0.0F);
  CHECK(out[1] == 1.0F);
}

TEST_CASE("a clipped grid takes its own levels to themselves", "[kernels]") {
  for (const auto& grid : kGrids) {
    const auto x = awkward_numbers<double>(500, 4);
    std::vector<double> once(x.size()), twice(x.size());
    auxbench::clip_quantize<double>(x, grid, once);
    auxbench::clip_quantize<double>(once, grid, twice);
    CHECK(once == twice);
  }
}

TEST_CASE("spans of different lengths are refused", "[kernels]") {
  std::vector<float> three(3), two(2);
  CHECK_THROWS_AS(auxbench::clip_quantize<float>(three, {}, two), auxbench::LogicFault);
  CHECK_THROWS_AS(auxbench::dorefa_weight<float>(three, 1.0F, 3, two), auxbench::LogicFault);
}
