#include "kernels/focal_loss/focal_loss.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/check.h"
#include "kernels/focal_loss/reference.h"
#include "tests/support/catch.h"

using namespace auxbench::focal_loss;

namespace {

constexpr double kAlpha = 0.25, kScale = 0.5;

template <typename T>
long double tolerance() {
  return sizeof(T) == sizeof(float) ? 2e-6L : 1e-14L;
}

template <typename T>
struct Found {
  double loss = 0;
  std::vector<T> gradient;
};

template <typename T>
Found<T> run(const std::vector<T>& logits, const std::vector<std::int64_t>& labels, const Map& map) {
  Found<T> found = {.gradient = std::vector<T>(map.size(), T(7))};
  found.loss = loss_and_gradient(std::span<const T>(logits), std::span<const std::int64_t>(labels), map, kAlpha, kScale,
                                 std::span<T>(found.gradient));
  return found;
}

template <typename T>
void check(const std::vector<T>& logits, const std::vector<std::int64_t>& labels, const Map& map) {
  const auto truth =
      reference::loss_and_gradient(std::span<const T>(logits), std::span<const std::int64_t>(labels), map,
                                   static_cast<long double>(kAlpha), static_cast<long double>(kScale));
  const auto found = run(logits, labels, map);
  CHECK(std::abs(static_cast<long double>(found.loss) - truth.loss) <= tolerance<T>() * std::abs(truth.loss));
  size_t wrong = 0;
  for (size_t i = 0; i < map.size(); ++i) {
    const auto away = std::abs(static_cast<long double>(found.gradient[i]) - truth.gradient[i]);
    // The smallest numbers of a type have few digits.
    const auto tiny = static_cast<long double>(std::numeric_limits<T>::min());
    if (!(away <= tolerance<T>() * std::abs(truth.gradient[i]) + tiny)) ++wrong;
  }
  CHECK(wrong == 0);
}

// One anchor in eight has a class, one in sixteen is ignored.
std::vector<std::int64_t> some_labels(const Map& map, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<std::int64_t> labels(map.anchors * map.places);
  for (auto& label : labels) {
    const auto drawn = generator() % 16;
    label = drawn < 2 ? static_cast<std::int64_t>(generator() % map.classes) : drawn == 2 ? -2 : -1;
  }
  return labels;
}

template <typename T>
std::vector<T> some_logits(size_t n, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal(-2, 6);
  std::vector<T> logits(n);
  for (auto& logit : logits) logit = static_cast<T>(normal(generator));
  return logits;
}

template <typename T>
void check_maps() {
  for (const bool last : {false, true})
    for (Map map : {Map{1, 1, 1}, Map{1, 80, 3}, Map{9, 5, 25}, Map{3, 7, 61}}) {
      map.channels_last = last;
      CAPTURE(map.anchors, map.classes, map.places, last);
      check(some_logits<T>(map.size(), 1), some_labels(map, 2), map);
    }
}

// Every exponent, both signs, either target.
template <typename T>
void check_sizes() {
  std::vector<T> logits;
  for (int exponent = -40; exponent <= 10; ++exponent)
    for (int step = 0; step < 16; ++step)
      for (const int sign : {-1, 1}) logits.push_back(static_cast<T>(sign * std::ldexp(1 + step / 16.0, exponent)));
  logits.push_back(T(0));
  for (const std::int64_t label : {-1, 0}) {
    const Map map = {.anchors = 1, .classes = 1, .places = logits.size()};
    check(logits, std::vector<std::int64_t>(logits.size(), label), map);
  }
}

}  // namespace

TEST_CASE("focal loss and its gradient are those of the formula, however a map lies") {
  check_maps<float>();
  check_maps<double>();
}

TEST_CASE("focal loss keeps its digits for logits of any size") {
  check_sizes<float>();
  check_sizes<double>();
}

TEST_CASE("what is no background costs nothing as background") {
  // Confident and right, to the last digit: as background each would cost 0.75 times 30.
  const Map map = {.anchors = 1, .classes = 1, .places = 1000};
  check(std::vector<float>(1000, 30.0F), std::vector<std::int64_t>(1000, 0), map);
  const auto ignored = run(std::vector<float>(1000, 30.0F), std::vector<std::int64_t>(1000, -2), map);
  CHECK(ignored.loss == 0);
  CHECK(ignored.gradient == std::vector<float>(1000));
}

TEST_CASE("a logit that is not finite is not finite in the focal loss") {
  const Map map = {.anchors = 1, .classes = 2, .places = 2};
  for (const float odd : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
    for (const std::int64_t label : {-2, -1, 1})
      CHECK_FALSE(std::isfinite(run<float>({odd, odd, 1, 2}, {label, -1}, map).loss));
  CHECK_FALSE(std::isfinite(run<float>({-std::numeric_limits<float>::infinity(), 0, 1, 2}, {0, -1}, map).loss));
}

TEST_CASE("focal loss refuses labels beyond the classes and sizes that disagree") {
  const Map map = {.anchors = 1, .classes = 2, .places = 1};
  CHECK_THROWS_AS(run<float>({1, 2}, {2}, map), auxbench::LogicFault);
  CHECK_THROWS_AS(run<float>({1, 2}, {-1, -1}, map), auxbench::LogicFault);
}
