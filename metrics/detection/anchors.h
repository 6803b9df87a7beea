// Anchors: the boxes that a detector's outputs are relative to. At place (y, x) of a level's grid stand the level's cell
// anchors, moved by x * stride and y * stride.
//
//   detectron2   size s, ratio r:  w = sqrt(s^2 / r), h = r w; corners -w/2 -h/2 w/2 h/2 in float64, then float32
//   torchvision  s whole;          h = sqrt(r) s, w = s / sqrt(r) in float32; corners halved and rounded half to even
//
// FCOS has one a place, a square of the level's stride: its centre is the location, its width what the four sides are
// measured in.
#pragma once

#include <cstdint>
#include <vector>

#include "metrics/detection/corners.h"
#include "metrics/detection/rules.h"

namespace auxbench {

// One level of a pyramid: a place every 2^level pixels.
struct LevelGrid {
  int64_t level = 0, height = 0, width = 0;

  [[nodiscard]] size_t places() const { return static_cast<size_t>(height * width); }
  bool operator==(const LevelGrid&) const = default;
};

// The pyramid of both detectors. A level has a place for every 2^level pixels begun.
inline constexpr int64_t kFinestLevel = 3, kCoarsestLevel = 7;

std::vector<LevelGrid> pyramid_grids(const Extent& padded);

// The padded image under a pyramid whose finest level is this one; padding to a multiple of 2^level makes it so.
Extent padded_extent(const LevelGrid& finest);

// Rows y0 .. y1 - 1 and columns x0 .. x1 - 1 of a grid.
struct PlaceRange {
  int64_t y0 = 0, y1 = 0, x0 = 0, x1 = 0;
};

class LevelAnchors {
 public:
  LevelAnchors(const AnchorRules& rules, const LevelGrid& grid, const Extent& padded);

  [[nodiscard]] const LevelGrid& grid() const { return grid_; }
  [[nodiscard]] size_t a_place() const { return cell_.size(); }
  [[nodiscard]] size_t count() const { return grid_.places() * a_place(); }
  // place = y * width + x
  [[nodiscard]] Corners at(size_t place, size_t anchor) const;
  // Places beyond which no anchor overlaps the box, a few too many at most; none for a box that is not finite.
  [[nodiscard]] PlaceRange over(const Corners& box) const;
  // All of them: place by place, and the anchors of a place together.
  [[nodiscard]] std::vector<Corners> all() const;

 private:
  LevelGrid grid_;
  float stride_y_, stride_x_, first_y_, first_x_;
  std::vector<Corners> cell_;
};

}  // namespace auxbench
