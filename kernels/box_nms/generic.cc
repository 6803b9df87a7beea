// Any processor: a block at a time in plain loops.
#include "kernels/box_nms/kernel.h"

namespace auxbench::box_nms {
namespace {

bool suppressed(const Block* blocks, size_t count, const Candidate& box, float threshold) {
  for (const Block* block = blocks; block != blocks + count; ++block) {
    int found = 0;
    for (size_t i = 0; i < kLanes; ++i) {
      const float left = block->x0[i] > box.x0 ? block->x0[i] : box.x0;
      const float top = block->y0[i] > box.y0 ? block->y0[i] : box.y0;
      const float right = block->x1[i] < box.x1 ? block->x1[i] : box.x1;
      const float bottom = block->y1[i] < box.y1 ? block->y1[i] : box.y1;
      const float w = right - left > 0 ? right - left : 0, h = bottom - top > 0 ? bottom - top : 0;
      const float inter = w * h;
      found |= inter / ((block->area[i] + box.area) - inter) > threshold ? 1 : 0;
    }
    if (found != 0) return true;
  }
  return false;
}

}  // namespace

extern const Kernel generic_kernel;
const Kernel generic_kernel = {"generic", [](const Isa&) { return true; }, suppressed};

}  // namespace auxbench::box_nms
