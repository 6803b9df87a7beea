#include "kernels/box_nms/reference.h"

#include <algorithm>

#include "kernels/box_nms/kernel.h"

namespace auxbench::box_nms {
namespace {

float area(const float* box) { return (box[2] - box[0]) * (box[3] - box[1]); }

float iou(const float* a, const float* b) {
  const float w = std::max(0.0F, std::min(a[2], b[2]) - std::max(a[0], b[0]));
  const float h = std::max(0.0F, std::min(a[3], b[3]) - std::max(a[1], b[1]));
  const float inter = w * h;
  return inter / ((area(a) + area(b)) - inter);
}

}  // namespace

std::vector<uint32_t> reference(const Boxes& boxes, float threshold, size_t most) {
  check_arguments(boxes, threshold);
  std::vector<uint32_t> order, kept;
  for (uint32_t i = 0; i < boxes.scores.size(); ++i)
    if (takes_part(boxes, i)) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t i, uint32_t j) { return boxes.scores[i] > boxes.scores[j]; });
  for (const auto i : order) {
    if (kept.size() >= most) break;
    const bool suppressed = std::any_of(kept.begin(), kept.end(), [&](uint32_t j) {
      return (boxes.classes.empty() || boxes.classes[i] == boxes.classes[j]) &&
             iou(&boxes.corners[4 * size_t{i}], &boxes.corners[4 * size_t{j}]) > threshold;
    });
    if (!suppressed) kept.push_back(i);
  }
  return kept;
}

}  // namespace auxbench::box_nms
