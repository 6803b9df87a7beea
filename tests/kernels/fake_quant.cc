#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/check.h"
#include "kernels/fake_quant/fake_quant.h"
#include "kernels/fake_quant/moments.h"
#include "kernels/fake_quant/reference.h"
#include "tests/support/catch.h"

using namespace auxbench::fake_quant;

namespace {

// Parameters that any formula may point to: thresholds and codes ascend, everything else is an ordinary positive
// number.
template <typename T>
struct Parameters {
  explicit Parameters(size_t pieces) {
    for (size_t i = 0; i < 16 * pieces; ++i) {
      ascending.push_back(static_cast<T>(i % 16) * T(0.25) - T(0.9));
      digits.push_back(static_cast<T>(i % 16));
      ordinary.push_back(T(0.7) + static_cast<T>(i % 5) * T(0.11));
    }
  }
  std::vector<T> ascending, digits, ordinary;
  [[nodiscard]] Parameter<T> one() const { return {ordinary.data(), false}; }
  [[nodiscard]] Parameter<T> each() const { return {ordinary.data(), true}; }
  T zero = 0, delta = T(0.2);
};

FixedLevelsConfig fixed_levels(int bits, bool two_sided) {
  FixedLevelsConfig config;
  for (size_t i = 0; i < levels_of(bits); ++i) config.levels[i] = static_cast<double>(i * i);
  config.two_sided = two_sided;
  return config;
}

// Calls body(name, formula) for every formula there is, in all its modes.
template <typename T, typename Body>
void for_each_formula(const Parameters<T>& p, const Body& body) {
  for (const auto bounds : {BoundGradient::pass, BoundGradient::stop, BoundGradient::stop_at_zero})
    for (const double unit : {1.0, 6.0}) body("Clip", Clip<T>({.hi = 6, .steps = 3, .unit = unit, .bounds = bounds}));
  body("DorefaWeight", DorefaWeight<T>({.steps = 7}, p.one()));
  for (const bool flag : {false, true}) {
    body("Ewgs", Ewgs<T>({.steps = 3, .symmetric = flag}, {&p.zero}, p.one(), p.one(), {&p.delta}));
    body("Interval", Interval<T>({.steps = 3, .two_sided = flag}, p.one(), p.one()));
    body("IntervalPower", IntervalPower<T>({.steps = 3, .two_sided = flag}, p.one(), p.one(), p.one()));
    body("MidRise", MidRise<T>({.steps = 3, .masked = flag}, p.each(), {&p.delta}, p.one()));
    body("Range", Range<T>({.steps = 3, .residual = flag}, p.one()));
    body("FixedLevels1", FixedLevels1<T>(fixed_levels(1, flag), p.one()));
    body("FixedLevels2", FixedLevels2<T>(fixed_levels(2, flag), p.one(), {&p.delta}, p.one()));
    body("FixedLevels3", FixedLevels3<T>(fixed_levels(3, flag), p.one()));
    body("FixedLevels4", FixedLevels4<T>(fixed_levels(4, flag), p.one()));
    body("FixedLevels5", FixedLevels5<T>(fixed_levels(5, flag), p.one()));
  }
  const Parameter<T> thresholds = {p.ascending.data(), false}, digits = {p.digits.data(), false};
  body("LearnedLevels1", LearnedLevels1<T>({}, thresholds, digits, {&p.delta}));
  body("LearnedLevels2", LearnedLevels2<T>({}, thresholds, digits, {}));
  body("LearnedLevels3", LearnedLevels3<T>({}, {p.ascending.data(), true}, {p.digits.data(), true}, {}));
  body("LearnedLevels4", LearnedLevels4<T>({}, thresholds, digits, {}));
  body("Lookup1", Lookup1<T>({}, digits));
  body("Lookup2", Lookup2<T>({}, {p.digits.data(), true}));
  body("Lookup3", Lookup3<T>({}, thresholds));
  body("Lookup4", Lookup4<T>({}, digits));
  body("Sign", Sign<T>({}));
  body("Sign", Sign<T>({.limit = 1, .open = true}));
  body("Sign", Sign<T>({.limit = 1, .outside = 0.1}, p.each()));
  body("SignPolynomial", SignPolynomial<T>({}));
  body("Step", Step<T>({.lo = -2, .hi = 1}, p.one()));
  body("Step", Step<T>({.lo = 0, .hi = 3}, p.one(), p.one()));
  body("Thresholds1", Thresholds1<T>({}, p.one()));
  body("Thresholds2", Thresholds2<T>({}, p.one()));
  body("Thresholds3", Thresholds3<T>({}, p.one()));
  body("Thresholds4", Thresholds4<T>({}, p.one()));
}

template <typename T>
std::vector<T> awkward_numbers(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<T> spread(T(-2), T(8));
  std::vector<T> x(count);
  for (auto& value : x) value = spread(random);
  const std::vector<T> corners = {T(0),   T(-0.0),  T(1),    T(6),
                                  T(0.5), T(1) / 6, T(1.5),  std::numeric_limits<T>::denorm_min(),
                                  T(-1),  T(0.7),   T(0.35), T(-0.7)};
  for (size_t i = 0; i < corners.size() && i < count; ++i) x[i] = corners[i];
  return x;
}

template <typename T>
struct Passes {
  std::vector<T> codes, statistics, dx, sums;
};

enum class Path { fast, slow };

template <Path path, typename Formula, typename T>
Passes<T> passes(const Formula& formula, const std::vector<T>& x, const std::vector<T>& g, size_t length) {
  const auto pieces = Pieces::of(x.size(), length);
  Passes<T> out = {std::vector<T>(x.size()), std::vector<T>(pieces.last * Formula::kStatistics),
                   std::vector<T>(x.size()), std::vector<T>(pieces.last * Formula::kSums)};
  const std::span<const T> in(x), gradient(g);
  if constexpr (path == Path::fast) {
    encode(formula, in, pieces, std::span<T>(out.codes), std::span<T>(out.statistics));
    differentiate(formula, in, gradient, pieces, std::span<T>(out.dx), std::span<T>(out.sums));
  } else {
    reference::encode(formula, in, pieces, std::span<T>(out.codes), std::span<T>(out.statistics));
    reference::differentiate(formula, in, gradient, pieces, std::span<T>(out.dx), std::span<T>(out.sums));
  }
  return out;
}

template <typename T>
double largest_difference(const std::vector<T>& a, const std::vector<T>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double scale = std::max(1.0, std::abs(static_cast<double>(b[i])));
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])) / scale;
    largest = std::isnan(difference) ? difference : std::max(largest, difference);
  }
  return largest;
}

// Sums of a few thousand terms in lanes against the same sums in double.
template <typename T>
constexpr double kSumTolerance = std::is_same_v<T, float> ? 1e-4 : 1e-12;

}  // namespace

TEMPLATE_TEST_CASE("every formula: the fast passes equal the slow ones bit for bit, at every length", "[kernels]",
                   float, double) {
  for (const size_t count : {size_t{0}, size_t{1}, size_t{15}, size_t{16}, size_t{37}, size_t{1001}}) {
    const auto x = awkward_numbers<TestType>(count, 1), g = awkward_numbers<TestType>(count, 2);
    for (const size_t length : {size_t{9}, size_t{64}, size_t{4096}}) {
      const Parameters<TestType> parameters(Pieces::of(count, length).last + 1);
      for_each_formula<TestType>(parameters, [&](const char* name, const auto& formula) {
        INFO(name << ", " << count << " elements in pieces of " << length);
        const auto fast = passes<Path::fast>(formula, x, g, length), slow = passes<Path::slow>(formula, x, g, length);
        REQUIRE(fast.codes == slow.codes);
        REQUIRE(fast.dx == slow.dx);
        REQUIRE(largest_difference(fast.sums, slow.sums) <= kSumTolerance<TestType>);
        REQUIRE(largest_difference(fast.statistics, slow.statistics) <= kSumTolerance<TestType>);
      });
    }
  }
}

TEST_CASE("every formula: working on some pieces leaves the others alone and changes no sum", "[kernels]") {
  const auto x = awkward_numbers<double>(200, 1), g = awkward_numbers<double>(200, 2);
  const Parameters<double> parameters(10);
  for_each_formula<double>(parameters, [&](const char* name, const auto& formula) {
    using Formula = std::decay_t<decltype(formula)>;
    INFO(name);
    const auto whole = passes<Path::fast>(formula, x, g, 32);
    std::vector<double> dx(200, -77), sums(7 * Formula::kSums, -77);
    differentiate(formula, std::span<const double>(x), std::span<const double>(g),
                  {.length = 32, .first = 2, .last = 4}, std::span<double>(dx), std::span<double>(sums));
    for (size_t i = 0; i < 200; ++i) REQUIRE(dx[i] == (i >= 64 && i < 128 ? whole.dx[i] : -77));
    for (size_t piece = 0; piece < 7; ++piece)
      for (size_t k = 0; k < Formula::kSums; ++k)
        REQUIRE(sums[piece * Formula::kSums + k] ==
                (piece == 2 || piece == 3 ? whole.sums[piece * Formula::kSums + k] : -77));
  });
}

TEST_CASE("every formula: NaN in gives a NaN code, infinities the outermost codes", "[kernels]") {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const std::vector<double> x = {std::nan(""), inf, -inf, 1e9, -1e9}, g(5, 1.0);
  const Parameters<double> parameters(2);
  for_each_formula<double>(parameters, [&](const char* name, const auto& formula) {
    INFO(name);
    const auto out = passes<Path::fast>(formula, x, g, 4096);
    CHECK(std::isnan(out.codes[0]));
    CHECK(out.codes[1] == out.codes[3]);
    CHECK(out.codes[2] == out.codes[4]);
  });
}

TEST_CASE("a scale that a step of training has driven through zero stays positive", "[kernels]") {
  const double negative = -0.5, nothing = 0;
  const std::vector<double> x = {0.6}, g = {1};
  const auto of = [&](const double& step) {
    return passes<Path::fast>(Step<double>({.lo = 0, .hi = 3}, {&step}), x, g, 4096);
  };
  CHECK(of(negative).codes[0] == 1);
  CHECK(of(negative).sums[0] == Approx(-(1 - 1.2)));  // through |step|
  CHECK(of(nothing).codes[0] == 3);
}

TEST_CASE("spans that do not fit together are a fault", "[kernels]") {
  const std::vector<float> x(3), g(2);
  std::vector<float> out(3);
  const Clip<float> clip({});
  CHECK_THROWS_AS(differentiate(clip, std::span<const float>(x), std::span<const float>(g), Pieces::of(3),
                                std::span<float>(out), std::span<float>()),
                  auxbench::LogicFault);
  CHECK_THROWS_AS(encode(clip, std::span<const float>(x), {.length = 2, .first = 0, .last = 3}, std::span<float>(out)),
                  auxbench::LogicFault);
}

namespace {

template <typename T>
std::vector<T> moments_of(const std::vector<T>& x, size_t length) {
  const auto pieces = Pieces::of(x.size(), length);
  std::vector<PieceMoments> shares(pieces.last);
  measure(std::span<const T>(x), pieces, shares);
  std::vector<T> moments(kMoments);
  combine(shares.data(), x.size(), length, moments.data());
  return moments;
}

// By their definitions, in long double.
template <typename T>
std::vector<T> slow_moments_of(const std::vector<T>& x) {
  const std::vector<long double> values(x.begin(), x.end());
  long double sum = 0, magnitudes = 0, squares = 0, away = 0, largest = 0;
  for (const long double value : values) {
    sum += value;
    magnitudes += std::abs(value);
    squares += value * value;
    largest = std::max(largest, std::abs(value));
  }
  const auto n = static_cast<long double>(x.size());
  for (const long double value : values) away += (value - sum / n) * (value - sum / n);
  const long double deviation = n > 1 ? std::sqrt(away / (n - 1)) : 0;
  return {static_cast<T>(sum / n), static_cast<T>(deviation), static_cast<T>(magnitudes / n),
          static_cast<T>(squares / n), static_cast<T>(largest)};
}

}  // namespace

TEMPLATE_TEST_CASE("moments: mean, deviation, E|x|, E x^2 and max |x| as defined, far from zero too", "[kernels]",
                   float, double) {
  using T = TestType;
  const double tolerance = std::is_same_v<T, float> ? 2e-6 : 1e-13;
  for (const size_t count : {size_t{1}, size_t{2}, size_t{15}, size_t{37}, size_t{1001}, size_t{20000}})
    for (const T shift : {T(0), T(1000)})
      for (const size_t length : {size_t{9}, size_t{64}, size_t{4096}}) {
        auto x = awkward_numbers<T>(count, 3);
        for (auto& value : x) value += shift;
        INFO(count << " elements in pieces of " << length << ", around " << shift);
        const auto fast = moments_of(x, length), slow = slow_moments_of(x);
        for (size_t moment = 0; moment < kMoments; ++moment) {
          INFO("moment " << moment);
          REQUIRE(fast[moment] == Approx(slow[moment]).epsilon(tolerance).margin(tolerance));
        }
      }
}

TEST_CASE("moments: none for nothing, NaN for a NaN, infinite for infinities", "[kernels]") {
  CHECK(moments_of<float>({}, 4096) == std::vector<float>(kMoments, 0));
  std::vector<double> x(100, 1.0);
  x[57] = std::nan("");
  for (const size_t length : {size_t{10}, size_t{4096}})
    for (const double moment : moments_of(x, length)) CHECK(std::isnan(moment));
  x[57] = -std::numeric_limits<double>::infinity();
  CHECK(moments_of(x, 10)[kLargest] == std::numeric_limits<double>::infinity());
}

TEST_CASE("tanh in plain arithmetic: within 2 units in the last place, odd, never falling", "[kernels]") {
  float last = 0;
  for (std::uint32_t bits = 0; bits <= 0x7f800000U; bits += 997) {
    const auto x = std::bit_cast<float>(bits);
    const float found = tanh_of(x);
    const double exact = std::tanh(static_cast<double>(x));
    const auto nearest = static_cast<float>(exact);
    const double unit =
        exact == 0 ? 0 : std::abs(static_cast<double>(nearest) - static_cast<double>(std::nextafter(nearest, -1.0F)));
    REQUIRE(std::abs(static_cast<double>(found) - exact) <= 2 * unit);
    REQUIRE(found >= last);
    REQUIRE(tanh_of(-x) == -found);
    last = found;
  }
  CHECK(tanh_of(std::numeric_limits<float>::infinity()) == 1);
  CHECK(std::isnan(tanh_of(std::nanf(""))));
}

TEST_CASE("what has a magnitude is counted, and its gradient changed by sign, whatever else there is") {
  const auto check = [](auto type) {
    using T = decltype(type);
    std::vector<T> x(101), y(101, T(2));
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(static_cast<int>(i % 7) - 3);  // -3 .. 3
    x[50] = std::numeric_limits<T>::quiet_NaN();
    const auto at_three = static_cast<size_t>(std::count_if(x.begin(), x.end(), [](T v) { return v == 3 || v == -3; }));
    CHECK(count_of_magnitude<T>(x, T(3)) == at_three);
    CHECK(count_of_magnitude<T>(x, T(5)) == 0);
    subtract_at_magnitude<T>(x, T(3), T(0.5), y);
    for (size_t i = 0; i < x.size(); ++i) CHECK(y[i] == (x[i] == 3 ? T(1.5) : x[i] == -3 ? T(2.5) : T(2)));
  };
  check(float{});
  check(double{});
}
