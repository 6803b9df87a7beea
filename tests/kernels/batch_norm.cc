#include "kernels/batch_norm/batch_norm.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/batch_norm/reference.h"
#include "tests/support/catch.h"

using namespace auxbench::batch_norm;

namespace {

// Narrow and wide rows, more channels than a tile, single pixels, several blocks.
const std::vector<Map> kMaps = {{1, 1, 1},     {3, 2, 1},    {64, 8, 196}, {64, 16, 49}, {64, 64, 4},
                                {12544, 8, 1}, {300, 5, 1},  {2, 3, 2500}, {7, 33, 9},   {256, 512, 1},
                                {5, 2100, 1},  {1000, 3, 1}, {64, 130, 1}, {1, 700, 3}};

template <typename T>
std::vector<T> random_numbers(std::size_t n, unsigned seed, double mean = 0.5, double deviation = 2) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal(mean, deviation);
  std::vector<T> numbers(n);
  for (auto& number : numbers) number = static_cast<T>(normal(generator));
  return numbers;
}

template <typename T>
std::span<const T> view(const std::vector<T>& numbers) {
  return numbers;
}

// Relative to the sum of magnitudes.
template <typename T>
double tolerance() {
  return sizeof(T) == sizeof(float) ? 2e-5 : 1e-13;
}

template <typename Sums>
std::vector<double> totals(const Map& map, std::size_t kinds, const Sums& sums) {
  const auto all = Blocks::of(map);
  std::vector<double> room(all.last * kinds * map.channels, 7), total(kinds * map.channels);
  // Each block by itself, as several threads would take them.
  for (std::size_t block = 0; block < all.last; ++block) sums(Blocks{block, block + 1}, std::span<double>(room));
  add_up(room, map, total);
  return total;
}

template <typename T>
void check_statistics(const Map& map) {
  const auto x = random_numbers<T>(map.size(), 1);
  const auto truth = reference::statistics(view(x), map);
  const auto n = static_cast<double>(map.outer * map.inner);
  const auto sums =
      totals(map, 1, [&](const Blocks& blocks, std::span<double> room) { sum(view(x), map, blocks, room); });
  std::vector<T> mean(map.channels);
  for (std::size_t c = 0; c < map.channels; ++c) {
    CHECK(std::abs(sums[c] / n - truth.mean[c]) <= 4 * tolerance<T>());
    mean[c] = static_cast<T>(truth.mean[c]);
  }
  const auto squares = totals(map, 1, [&](const Blocks& blocks, std::span<double> room) {
    sum_squares(view(x), view(mean), map, blocks, room);
  });
  for (std::size_t c = 0; c < map.channels; ++c)
    CHECK(std::abs(squares[c] / n - truth.variance[c]) <= 8 * tolerance<T>() * (1 + truth.variance[c]));
}

template <typename T>
void check_transform(const Map& map) {
  const auto x = random_numbers<T>(map.size(), 2), added = random_numbers<T>(map.size(), 3);
  const auto alpha = random_numbers<T>(map.channels, 4), beta = random_numbers<T>(map.channels, 5);
  for (const bool adds : {false, true})
    for (const bool relu : {false, true}) {
      const auto summand = adds ? view(added) : std::span<const T>();
      std::vector<T> y(map.size()), truth(map.size());
      transform(view(x), view(alpha), view(beta), summand, relu, map, Blocks::of(map), std::span<T>(y));
      reference::transform(view(x), view(alpha), view(beta), summand, relu, map, std::span<T>(truth));
      CHECK(y == truth);
    }
}

template <typename T>
void check_gradients(const Map& map) {
  const auto x = random_numbers<T>(map.size(), 6), dy = random_numbers<T>(map.size(), 7);
  const auto y = random_numbers<T>(map.size(), 8, 0);
  const auto mean = random_numbers<T>(map.channels, 9), a = random_numbers<T>(map.channels, 10);
  const auto k = random_numbers<T>(map.channels, 11), q = random_numbers<T>(map.channels, 12);
  for (const bool relu : {false, true}) {
    const Gradients<T> given = {view(x), view(dy), relu ? view(y) : std::span<const T>(), view(mean)};
    const auto truth = reference::gradient_sums(given, map);
    const auto sums =
        totals(map, 2, [&](const Blocks& blocks, std::span<double> room) { sum_gradients(given, map, blocks, room); });
    const auto n = static_cast<double>(map.outer * map.inner);
    for (std::size_t c = 0; c < truth.size(); ++c) CHECK(std::abs(sums[c] - truth[c]) <= 20 * n * tolerance<T>());
    for (const bool adds : {false, true}) {
      std::vector<T> dx(map.size()), dx_truth(map.size());
      std::vector<T> dadded(adds ? map.size() : 0), dadded_truth(dadded.size());
      differentiate(given, view(a), view(k), view(q), map, Blocks::of(map), std::span<T>(dx), std::span<T>(dadded));
      reference::differentiate(given, view(a), view(k), view(q), map, std::span<T>(dx_truth),
                               std::span<T>(dadded_truth));
      CHECK(dx == dx_truth);
      CHECK(dadded == dadded_truth);
    }
  }
}

}  // namespace

TEST_CASE("batch norm's sums agree with the definition in double, in either layout", "[kernels]") {
  for (const auto& map : kMaps) {
    INFO(map.outer << " x " << map.channels << " x " << map.inner);
    check_statistics<float>(map);
    check_statistics<double>(map);
  }
}

TEST_CASE("batch norm's affine map with sum and ReLU equals the single operations, bit for bit", "[kernels]") {
  for (const auto& map : kMaps) {
    INFO(map.outer << " x " << map.channels << " x " << map.inner);
    check_transform<float>(map);
    check_transform<double>(map);
  }
}

TEST_CASE("batch norm's gradient equals the definition's", "[kernels]") {
  for (const auto& map : kMaps) {
    INFO(map.outer << " x " << map.channels << " x " << map.inner);
    check_gradients<float>(map);
    check_gradients<double>(map);
  }
}

TEST_CASE("a NaN passes through batch norm's ReLU", "[kernels]") {
  const Map map = {2, 3, 5};
  auto x = random_numbers<float>(map.size(), 13);
  x[4] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> alpha(3, 1), beta(3, 0);
  std::vector<float> y(map.size());
  transform(view(x), view(alpha), view(beta), {}, true, map, Blocks::of(map), std::span<float>(y));
  CHECK(std::isnan(y[4]));
  CHECK(std::isfinite(y[5]));
}
