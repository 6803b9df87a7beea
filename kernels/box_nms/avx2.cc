// Half a block a register. Most boxes overlap nothing: a block in which none does is left before the division.
#include <immintrin.h>

#include "kernels/box_nms/kernel.h"

namespace auxbench::box_nms {
namespace {

struct Overlap {
  __m256 w, h;

  // All bits of the lanes that share area with the box.
  [[nodiscard]] __m256 mask() const {
    const __m256 zero = _mm256_setzero_ps();
    return _mm256_and_ps(_mm256_cmp_ps(w, zero, _CMP_GT_OQ), _mm256_cmp_ps(h, zero, _CMP_GT_OQ));
  }
};

struct Wide {
  __m256 x0, y0, x1, y1, area, threshold;

  [[nodiscard]] Overlap overlap(const Block& block, size_t lane) const {
    return {_mm256_sub_ps(_mm256_min_ps(_mm256_load_ps(block.x1 + lane), x1),
                          _mm256_max_ps(_mm256_load_ps(block.x0 + lane), x0)),
            _mm256_sub_ps(_mm256_min_ps(_mm256_load_ps(block.y1 + lane), y1),
                          _mm256_max_ps(_mm256_load_ps(block.y0 + lane), y0))};
  }

  [[nodiscard]] __m256 beyond(const Block& block, size_t lane, const Overlap& o, __m256 mask) const {
    const __m256 inter = _mm256_mul_ps(o.w, o.h);
    const __m256 both = _mm256_sub_ps(_mm256_add_ps(_mm256_load_ps(block.area + lane), area), inter);
    return _mm256_and_ps(mask, _mm256_cmp_ps(_mm256_div_ps(inter, both), threshold, _CMP_GT_OQ));
  }
};

bool suppressed(const Block* blocks, size_t count, const Candidate& box, float threshold) {
  const Wide wide = {_mm256_set1_ps(box.x0), _mm256_set1_ps(box.y0),   _mm256_set1_ps(box.x1),
                     _mm256_set1_ps(box.y1), _mm256_set1_ps(box.area), _mm256_set1_ps(threshold)};
  for (const Block* block = blocks; block != blocks + count; ++block) {
    const Overlap low = wide.overlap(*block, 0), high = wide.overlap(*block, 8);
    const __m256 in_low = low.mask(), in_high = high.mask();
    if (_mm256_movemask_ps(_mm256_or_ps(in_low, in_high)) == 0) continue;
    const __m256 found = _mm256_or_ps(wide.beyond(*block, 0, low, in_low), wide.beyond(*block, 8, high, in_high));
    if (_mm256_movemask_ps(found) != 0) return true;
  }
  return false;
}

}  // namespace

extern const Kernel avx2_kernel;
const Kernel avx2_kernel = {"avx2", [](const Isa& isa) { return isa.avx2; }, suppressed};

}  // namespace auxbench::box_nms
