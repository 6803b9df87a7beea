#include "datasets/image/resize.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "datasets/image/resize_passes.h"

namespace auxbench {
namespace {

struct Extent {
  int64_t first = 0, count = 0;
};

// One side that goes from `in` to `out` pixels.
struct Side {
  int64_t in, out;

  [[nodiscard]] double scale() const { return static_cast<double>(in) / static_cast<double>(out); }
  [[nodiscard]] double support() const { return std::max(scale(), 1.0); }
  [[nodiscard]] double centre(int64_t x) const { return (static_cast<double>(x) + 0.5) * scale(); }
  // What output position x looks at.
  [[nodiscard]] Extent window(int64_t x) const {
    const auto first = std::max<int64_t>(0, half_up(centre(x) - support()));
    const auto end = std::min<int64_t>(in, half_up(centre(x) + support()));
    return {.first = first, .count = end - first};
  }
  // What `count` positions from `first` on look at: windows only move on.
  [[nodiscard]] Extent window(int64_t first, int64_t count) const {
    const auto begin = window(first), end = window(first + count - 1);
    return {.first = begin.first, .count = end.first + end.count - begin.first};
  }
};

// Of `count` output positions from `first` on; windows count from the first pixel that any of them looks at.
Filter triangle(const Side& side, int64_t first, int64_t count) {
  const auto origin = side.window(first).first;
  Filter filter;
  std::vector<double> own;
  for (int64_t x = first; x < first + count; ++x) {
    const auto window = side.window(x);
    own.clear();
    double sum = 0;
    for (int64_t i = window.first; i < window.first + window.count; ++i) {
      const double away = std::abs((static_cast<double>(i) - side.centre(x) + 0.5) * (1.0 / side.support()));
      own.push_back(away < 1 ? 1 - away : 0);
      sum += own.back();
    }
    filter.windows.push_back({.first = window.first - origin, .count = window.count, .weights = filter.weights.size()});
    for (const double weight : own)
      filter.weights.push_back(
          static_cast<int32_t>(half_up((sum == 0 ? weight : weight / sum) * (1 << kFilterFraction))));
  }
  return filter;
}

Side across_of(const Resizing& resizing) { return {.in = resizing.from.width, .out = resizing.width}; }
Side down_of(const Resizing& resizing) { return {.in = resizing.from.height, .out = resizing.height}; }

bool lies_inside(const Box& box, const Box& outer) {
  return box.left >= outer.left && box.top >= outer.top && box.width > 0 && box.height > 0 &&
         box.left + box.width <= outer.left + outer.width && box.top + box.height <= outer.top + outer.height;
}

}  // namespace

Box pixels_needed(const Resizing& resizing) {
  const auto& part = resizing.part;
  AUXBENCH_CHECK(lies_inside(part, {.width = resizing.width, .height = resizing.height}), "a part of what is resized");
  const auto columns = across_of(resizing).window(part.left, part.width);
  const auto rows = down_of(resizing).window(part.top, part.height);
  return {.left = resizing.from.left + columns.first,
          .top = resizing.from.top + rows.first,
          .width = columns.count,
          .height = rows.count};
}

Raster resize_with(const ResizePasses& passes, const Raster& pixels, const Box& at, const Resizing& resizing) {
  const auto needed = pixels_needed(resizing);
  AUXBENCH_CHECK(pixels.width == at.width && pixels.height == at.height && lies_inside(needed, at), "needed pixels");
  const auto& part = resizing.part;
  // A side that stays has windows of one whole pixel: the pass copies.
  auto across = triangle(across_of(resizing), part.left, part.width);
  const auto down = triangle(down_of(resizing), part.top, part.height);
  if (resizing.mirrored) std::reverse(across.windows.begin(), across.windows.end());
  Raster narrowed(part.width, needed.height), result(part.width, part.height);
  const Box box = {
      .left = needed.left - at.left, .top = needed.top - at.top, .width = needed.width, .height = needed.height};
  passes.rows(pixels, box, across, narrowed);
  passes.columns(narrowed, down, result);
  return result;
}

Raster resize_part(const Raster& pixels, const Box& at, const Resizing& resizing) {
  const auto* fast = avx2_passes();
  return resize_with(fast != nullptr ? *fast : kPlainPasses, pixels, at, resizing);
}

Raster resize(const Raster& raster, int64_t width, int64_t height) {
  AUXBENCH_CHECK(width > 0 && height > 0 && raster.width > 0 && raster.height > 0, "sizes of one pixel and more");
  const auto whole = whole_of(raster);
  return resize_part(raster, whole,
                     {.from = whole, .width = width, .height = height, .part = {.width = width, .height = height}});
}

}  // namespace auxbench
