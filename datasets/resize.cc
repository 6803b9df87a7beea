#include "datasets/resize.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace auxbench {
namespace {

constexpr int kFraction = 22;  // bits of a weight behind the point: 32 - 8 for the byte - 2 to spare
constexpr size_t kChannels = 3;

// What each output position reads: `count` inputs from `first` on, with the weights that begin at `weights`.
struct Window {
  int64_t first, count;
  size_t weights;
};

struct Filter {
  std::vector<Window> windows;
  std::vector<int32_t> weights;
};

Filter triangle(int64_t in, int64_t out) {
  const double scale = static_cast<double>(in) / static_cast<double>(out), support = std::max(scale, 1.0);
  Filter filter;
  std::vector<double> own;
  for (int64_t x = 0; x < out; ++x) {
    const double centre = (static_cast<double>(x) + 0.5) * scale;
    const auto first = std::max<int64_t>(0, static_cast<int64_t>(centre - support + 0.5));
    const auto last = std::min<int64_t>(in, static_cast<int64_t>(centre + support + 0.5));
    own.clear();
    double sum = 0;
    for (int64_t i = first; i < last; ++i) {
      const double away = std::abs((static_cast<double>(i) - centre + 0.5) * (1.0 / support));
      own.push_back(away < 1 ? 1 - away : 0);
      sum += own.back();
    }
    filter.windows.push_back({.first = first, .count = last - first, .weights = filter.weights.size()});
    for (const double weight : own)
      filter.weights.push_back(static_cast<int32_t>(0.5 + (sum == 0 ? weight : weight / sum) * (1 << kFraction)));
  }
  return filter;
}

// Weights of a triangle are not negative and add up to 1, but for rounding.
uint8_t byte_of(int32_t sum) { return static_cast<uint8_t>(std::min(sum >> kFraction, 255)); }

Raster resize_rows(const Raster& raster, int64_t width) {
  const auto filter = triangle(raster.width, width);
  Raster result(width, raster.height);
  for (int64_t y = 0; y < raster.height; ++y) {
    const uint8_t* in = raster.row(y);
    uint8_t* out = result.row(y);
    for (const auto& window : filter.windows) {
      int32_t sums[kChannels] = {1 << (kFraction - 1), 1 << (kFraction - 1), 1 << (kFraction - 1)};
      const uint8_t* pixel = in + static_cast<size_t>(window.first) * kChannels;
      for (int64_t i = 0; i < window.count; ++i, pixel += kChannels)
        for (size_t c = 0; c < kChannels; ++c)
          sums[c] += pixel[c] * filter.weights[window.weights + static_cast<size_t>(i)];
      for (size_t c = 0; c < kChannels; ++c) *out++ = byte_of(sums[c]);
    }
  }
  return result;
}

Raster resize_columns(const Raster& raster, int64_t height) {
  const auto filter = triangle(raster.height, height);
  Raster result(raster.width, height);
  const size_t bytes = static_cast<size_t>(raster.width) * kChannels;
  std::vector<int32_t> sums(bytes);
  for (int64_t y = 0; y < height; ++y) {
    const auto& window = filter.windows[static_cast<size_t>(y)];
    std::fill(sums.begin(), sums.end(), 1 << (kFraction - 1));
    for (int64_t i = 0; i < window.count; ++i) {
      const int32_t weight = filter.weights[window.weights + static_cast<size_t>(i)];
      const uint8_t* in = raster.row(window.first + i);
      for (size_t b = 0; b < bytes; ++b) sums[b] += in[b] * weight;
    }
    uint8_t* out = result.row(y);
    for (size_t b = 0; b < bytes; ++b) out[b] = byte_of(sums[b]);
  }
  return result;
}

}  // namespace

Raster resize(const Raster& raster, int64_t width, int64_t height) {
  AUXBENCH_CHECK(width > 0 && height > 0 && raster.width > 0 && raster.height > 0, "sizes of one pixel and more");
  if (width == raster.width && height == raster.height) return raster;
  if (width == raster.width) return resize_columns(raster, height);
  auto narrowed = resize_rows(raster, width);
  return height == raster.height ? narrowed : resize_columns(narrowed, height);
}

}  // namespace auxbench
