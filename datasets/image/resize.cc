#include "datasets/image/resize.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "datasets/image/resize_passes.h"

namespace auxbench {
namespace {

// Of output positions first .. first + count - 1 out of `out`, from `in` inputs.
Filter triangle(int64_t in, int64_t out, int64_t first_out, int64_t count) {
  const double scale = static_cast<double>(in) / static_cast<double>(out), support = std::max(scale, 1.0);
  Filter filter;
  std::vector<double> own;
  for (int64_t x = first_out; x < first_out + count; ++x) {
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
      filter.weights.push_back(static_cast<int32_t>(0.5 + (sum == 0 ? weight : weight / sum) * (1 << kFilterFraction)));
  }
  return filter;
}

bool lies_inside(const Box& box, int64_t width, int64_t height) {
  return box.left >= 0 && box.top >= 0 && box.width > 0 && box.height > 0 && box.left + box.width <= width &&
         box.top + box.height <= height;
}

}  // namespace

Raster resize_with(const ResizePasses& passes, const Raster& raster, const Box& from, int64_t width, int64_t height,
                   const Box& part) {
  AUXBENCH_CHECK(lies_inside(from, raster.width, raster.height) && lies_inside(part, width, height), "boxes inside");
  // A side that stays has windows of one whole pixel: the pass copies.
  const auto across = triangle(from.width, width, part.left, part.width);
  const auto down = triangle(from.height, height, part.top, part.height);
  const auto first_row = down.windows.front().first;
  const auto rows = down.windows.back().first + down.windows.back().count - first_row;
  Raster narrowed(part.width, rows), result(part.width, part.height);
  passes.rows(raster, {.left = from.left, .top = from.top + first_row, .width = from.width, .height = rows}, across,
              narrowed);
  passes.columns(narrowed, first_row, down, result);
  return result;
}

Raster resize_part(const Raster& raster, const Box& from, int64_t width, int64_t height, const Box& part) {
  const auto* fast = avx2_passes();
  return resize_with(fast != nullptr ? *fast : kPlainPasses, raster, from, width, height, part);
}

Raster resize(const Raster& raster, int64_t width, int64_t height) {
  AUXBENCH_CHECK(width > 0 && height > 0 && raster.width > 0 && raster.height > 0, "sizes of one pixel and more");
  return resize_part(raster, {.width = raster.width, .height = raster.height}, width, height,
                     {.width = width, .height = height});
}

}  // namespace auxbench
