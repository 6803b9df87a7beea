// The boxes that a training step of a detector is timed on: the same in scripts/regular_boxes.py, so that both sides of
// a comparison match as many anchors. Torch-free.
#pragma once

#include <cstdint>
#include <vector>

#include "datasets/sources/boxed_image.h"

namespace auxbench {

inline constexpr int64_t kRegularBoxes = 7;  // of an image: COCO's mean

// Box j = 0 .. 6 of image i, in a square of side s pixels, with k = 7 i + j + 1, computed in double:
//
//   w = s (j + 1) / 24, h = s (8 - j) / 24, x0 = (s - w) frac(0.618034 k), y0 = (s - h) frac(0.754878 k)
//
// and class k mod `classes`. Nearly square ones and elongated ones, spread over the image.
std::vector<TruthBox> regular_boxes(int64_t image, int64_t side, int64_t classes);

}  // namespace auxbench
