// Non-maximum suppression of boxes.
//
//   IoU = inter / (a + b - inter)      inter, a, b: areas in float; 0 / 0 suppresses nothing
//
// Boxes are taken by falling score, of equal ones the first. A box is kept unless its IoU with one that was kept, of the
// same class, is above the threshold. A box whose score is NaN is dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/isa/isa.h"

namespace auxbench::box_nms {

struct Boxes {
  std::span<const float> corners;    // 4 n: x0 y0 x1 y1
  std::span<const float> scores;     // n
  std::span<const int32_t> classes;  // n; empty: all one class
};

// Indices of the boxes that are kept, best first, at most `most`.
std::vector<uint32_t> nms(const Boxes& boxes, float threshold, size_t most, const Isa& isa = this_isa());

}  // namespace auxbench::box_nms
