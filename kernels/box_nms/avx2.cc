// Half a block a register. Most blocks are left before the division: a quotient whose rounding is above the threshold is
// above it, so that inter > threshold (a + b - inter), and rounding the right side leaves at least ">=".
#include <immintrin.h>

#include "kernels/box_nms/kernel.h"

namespace auxbench::box_nms {
namespace {

struct Wide {
  __m256 x0, y0, x1, y1, area, threshold;
};

// Half a block: inter, what it is divided by, and the lanes whose quotient may be above the threshold.
struct Half {
  __m256 inter, both, near;

  Half(const Block& block, size_t lane, const Wide& box) {
    const __m256 zero = _mm256_setzero_ps();
    const __m256 w = _mm256_sub_ps(_mm256_min_ps(_mm256_load_ps(block.x1 + lane), box.x1),
                                   _mm256_max_ps(_mm256_load_ps(block.x0 + lane), box.x0));
    const __m256 h = _mm256_sub_ps(_mm256_min_ps(_mm256_load_ps(block.y1 + lane), box.y1),
                                   _mm256_max_ps(_mm256_load_ps(block.y0 + lane), box.y0));
    inter = _mm256_mul_ps(w, h);
    both = _mm256_sub_ps(_mm256_add_ps(_mm256_load_ps(block.area + lane), box.area), inter);
    const __m256 inside = _mm256_and_ps(_mm256_cmp_ps(w, zero, _CMP_GT_OQ), _mm256_cmp_ps(h, zero, _CMP_GT_OQ));
    near = _mm256_and_ps(inside, _mm256_cmp_ps(inter, _mm256_mul_ps(box.threshold, both), _CMP_GE_OQ));
  }

  [[nodiscard]] __m256 beyond(const Wide& box) const {
    return _mm256_and_ps(near, _mm256_cmp_ps(_mm256_div_ps(inter, both), box.threshold, _CMP_GT_OQ));
  }
};

bool suppressed(const Block* blocks, size_t count, const Candidate& box, float threshold) {
  const Wide wide = {_mm256_set1_ps(box.x0), _mm256_set1_ps(box.y0),   _mm256_set1_ps(box.x1),
                     _mm256_set1_ps(box.y1), _mm256_set1_ps(box.area), _mm256_set1_ps(threshold)};
  for (const Block* block = blocks; block != blocks + count; ++block) {
    const Half low(*block, 0, wide), high(*block, kLanes / 2, wide);
    if (_mm256_movemask_ps(_mm256_or_ps(low.near, high.near)) == 0) continue;
    if (_mm256_movemask_ps(_mm256_or_ps(low.beyond(wide), high.beyond(wide))) != 0) return true;
  }
  return false;
}

}  // namespace

extern const Kernel avx2_kernel;
const Kernel avx2_kernel = {"avx2", [](const Isa& isa) { return isa.avx2; }, suppressed};

}  // namespace auxbench::box_nms
