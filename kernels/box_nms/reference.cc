#include <algorithm>

#include "base/check.h"
#include "kernels/box_nms/box_nms.h"

namespace auxbench::box_nms {
namespace {

float iou(const float* a, const float* b) {
  const float width = std::max(std::min(a[2], b[2]) - std::max(a[0], b[0]), 0.0F);
  const float height = std::max(std::min(a[3], b[3]) - std::max(a[1], b[1]), 0.0F);
  const float inter = width * height;
  return inter / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter);
}

}  // namespace

std::vector<uint32_t> nms(const Boxes& boxes, float threshold, size_t most, const Isa&) {
  const size_t count = boxes.scores.size();
  AUXBENCH_CHECK(boxes.corners.size() == 4 * count && (boxes.classes.empty() || boxes.classes.size() == count),
                 "four corners and a class a score");
  std::vector<uint32_t> order, kept;
  for (uint32_t i = 0; i < count; ++i)
    if (boxes.scores[i] == boxes.scores[i]) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return boxes.scores[a] > boxes.scores[b]; });
  for (const auto i : order) {
    if (kept.size() == most) break;
    const bool suppressed = std::any_of(kept.begin(), kept.end(), [&](uint32_t j) {
      return (boxes.classes.empty() || boxes.classes[i] == boxes.classes[j]) &&
             iou(&boxes.corners[4 * i], &boxes.corners[4 * j]) > threshold;
    });
    if (!suppressed) kept.push_back(i);
  }
  return kept;
}

}  // namespace auxbench::box_nms
