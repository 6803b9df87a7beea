// Greedy suppression of overlapping boxes (non-maximum suppression), each class by itself.
//
//   order  falling score; equal scores by rising index
//   box i is kept unless a box j that was kept before it has its class and IoU(i, j) > threshold
//     w = max(0, min(x1_i, x1_j) - max(x0_i, x0_j)), h likewise, inter = w h
//     IoU = inter / ((a_i + a_j) - inter),  a = (x1 - x0) (y1 - y0)
// Every operation is float32 and rounded once, so that each instruction set and CUDA keep the very same boxes. Classes
// are compared as numbers: no offset is added to corners, as torchvision's batched_nms does, which rounds them. The
// threshold is a float: torchvision compares with a double, which differs where an IoU is the float nearest to it.
//
// Not greater than a threshold is an IoU equal to it, and 0/0: boxes without area suppress nothing and nothing
// suppresses them. Nor do boxes whose corners are in the wrong order. A box whose score is NaN or one of whose corners
// is not finite is dropped: it is never kept and suppresses nothing. Infinite scores are ordered like others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/isa/isa.h"

namespace auxbench::box_nms {

struct Boxes {
  std::span<const float> corners;    // [n, 4]: x0 y0 x1 y1
  std::span<const float> scores;     // [n]
  std::span<const int32_t> classes;  // [n], any numbers; empty: all of one class
};

// Indices of the boxes that are kept, best first, at most `most`. threshold >= 0. One thread; time grows with the boxes
// looked at until `most` are kept times the boxes kept of one class. Sizes that disagree are a LogicFault.
std::vector<uint32_t> nms(const Boxes& boxes, float threshold, size_t most, const Isa& isa = this_isa());

}  // namespace auxbench::box_nms
