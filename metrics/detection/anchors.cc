#include "metrics/detection/anchors.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace auxbench {
namespace {

Corners exact_anchor(double size, double ratio) {
  const double width = std::sqrt(size * size / ratio), height = ratio * width;
  return {static_cast<float>(-width / 2), static_cast<float>(-height / 2), static_cast<float>(width / 2),
          static_cast<float>(height / 2)};
}

Corners whole_anchor(double size, double ratio) {
  const auto scale = static_cast<float>(std::trunc(size));
  const float tall = std::sqrt(static_cast<float>(ratio)), wide = 1.0F / tall;
  const float width = wide * scale, height = tall * scale;
  return {std::nearbyint(-width / 2), std::nearbyint(-height / 2), std::nearbyint(width / 2),
          std::nearbyint(height / 2)};
}

std::vector<Corners> cell_anchors(const AnchorRules& rules, int64_t level) {
  const double smallest = rules.strides * static_cast<double>(int64_t{1} << level);
  const auto anchor = [&](int size, double ratio) {
    const double side = smallest * std::pow(2.0, size / static_cast<double>(rules.sizes));
    return rules.whole_pixels ? whole_anchor(side, ratio) : exact_anchor(side, ratio);
  };
  std::vector<Corners> cell;
  if (rules.sizes_first) {
    for (int size = 0; size < rules.sizes; ++size)
      for (const double ratio : rules.ratios) cell.push_back(anchor(size, ratio));
  } else {
    for (const double ratio : rules.ratios)
      for (int size = 0; size < rules.sizes; ++size) cell.push_back(anchor(size, ratio));
  }
  return cell;
}

float stride_of(const AnchorRules& rules, int64_t level, int64_t padded, int64_t places) {
  return static_cast<float>(rules.stride_of_grid ? padded / places : int64_t{1} << level);
}

}  // namespace

std::vector<LevelGrid> pyramid_grids(const Extent& padded) {
  std::vector<LevelGrid> grids;
  for (int64_t level = kFinestLevel; level <= kCoarsestLevel; ++level) {
    const auto places = [level](int64_t side) { return (side + (int64_t{1} << level) - 1) >> level; };
    grids.push_back({.level = level, .height = places(padded.height), .width = places(padded.width)});
  }
  return grids;
}

Extent padded_extent(const LevelGrid& finest) {
  return {.height = finest.height << finest.level, .width = finest.width << finest.level};
}

LevelAnchors::LevelAnchors(const AnchorRules& rules, const LevelGrid& grid, const Extent& padded) : grid_(grid) {
  AUXBENCH_CHECK(grid.height > 0 && grid.width > 0 && grid.level >= 0 && grid.level < 32, "a level with places");
  stride_y_ = stride_of(rules, grid.level, padded.height, grid.height);
  stride_x_ = stride_of(rules, grid.level, padded.width, grid.width);
  first_y_ = static_cast<float>(rules.offset) * stride_y_;
  first_x_ = static_cast<float>(rules.offset) * stride_x_;
  cell_ = cell_anchors(rules, grid.level);
}

Corners LevelAnchors::at(size_t place, size_t anchor) const {
  const auto width = static_cast<size_t>(grid_.width);
  const float x = first_x_ + static_cast<float>(place % width) * stride_x_;
  const float y = first_y_ + static_cast<float>(place / width) * stride_y_;
  const auto& cell = cell_[anchor];
  return {x + cell.x0, y + cell.y0, x + cell.x1, y + cell.y1};
}

PlaceRange LevelAnchors::over(const Corners& box) const {
  if (!is_finite(box)) return {};
  auto reach = cell_.front();  // of all anchors of a place
  for (const auto& cell : cell_)
    reach = {std::min(reach.x0, cell.x0), std::min(reach.y0, cell.y0), std::max(reach.x1, cell.x1),
             std::max(reach.y1, cell.y1)};
  // The first place whose anchors end behind `low`, and the one behind the last whose anchors begin before `high`, with
  // a place to spare for rounding.
  const auto place = [](float pixel, float first, float stride, int64_t places) {
    return static_cast<int64_t>(
        std::clamp(static_cast<double>((pixel - first) / stride), -2.0, static_cast<double>(places) + 2));
  };
  const auto begin = [&](float low, float end, float first, float stride, int64_t places) {
    return std::clamp<int64_t>(place(low - end, first, stride, places) - 1, 0, places);
  };
  const auto end = [&](float high, float start, float first, float stride, int64_t places) {
    return std::clamp<int64_t>(place(high - start, first, stride, places) + 2, 0, places);
  };
  return {.y0 = begin(box.y0, reach.y1, first_y_, stride_y_, grid_.height),
          .y1 = end(box.y1, reach.y0, first_y_, stride_y_, grid_.height),
          .x0 = begin(box.x0, reach.x1, first_x_, stride_x_, grid_.width),
          .x1 = end(box.x1, reach.x0, first_x_, stride_x_, grid_.width)};
}

std::vector<Corners> LevelAnchors::all() const {
  std::vector<Corners> anchors;
  anchors.reserve(count());
  for (size_t place = 0; place < grid_.places(); ++place)
    for (size_t a = 0; a < cell_.size(); ++a) anchors.push_back(at(place, a));
  return anchors;
}

}  // namespace auxbench
