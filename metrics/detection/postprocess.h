// From a detector's raw outputs for one image to its boxes. Training's evaluation, the integer engine and `infer` call
// this very code, so that equal outputs give equal boxes. float32, one thread.
//
//   score   sigmoid(class) = 1 / (1 + exp(-x)); with a centre-ness sqrt(sigmoid(class) sigmoid(centre-ness))
//   1. Of each level the `level_most` classes of anchors with the largest scores above `score`; equal scores by the
//      index (place * anchors + anchor) * classes + class, the lower first.
//   2. Their boxes are decoded (coder.h), and with `clip_first` cut off at the image.
//   3. Non-maximum suppression over all levels together, class by class (kernels/box_nms), by falling score, equal ones
//      by level and then as in 1; at most `most` boxes are kept.
//   4. Boxes are scaled to the file's pixels and cut off at its borders; with `drop_empty` those without area go.
// A score that is NaN is above nothing. A box with a corner that is not finite is left out before 3.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "metrics/detection/anchors.h"

namespace auxbench {

// Raw outputs of one level for one image, as networks return them: A anchors a place, K classes.
struct LevelPrediction {
  LevelGrid grid;
  std::span<const float> classes;     // [A K, H, W], channel a K + k
  std::span<const float> boxes;       // [4 A, H, W], channel 4 a + i
  std::span<const float> centreness;  // [1, H, W]; empty for none
  bool channels_last = false;         // [H, W, ..] instead, as the integer engine has them: the boxes are the same
};

struct Detection {
  int32_t label = 0;
  float score = 0;
  Corners box;  // in the file's pixels
  bool operator==(const Detection&) const = default;
};

// levels: finest first; image: as the network saw it, without padding; file: as it was before it was resized. By falling
// score. LogicFault when the spans are not of the grids' sizes.
std::vector<Detection> find_boxes(const DetectorRules& rules, std::span<const LevelPrediction> levels,
                                  const Extent& image, const Extent& file);

}  // namespace auxbench
