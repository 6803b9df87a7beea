// A block a register. Most blocks are left before the division: a quotient whose rounding is above the threshold is
// above it, so that inter > threshold (a + b - inter), and rounding the right side leaves at least ">=".
#include <immintrin.h>

#include "kernels/box_nms/kernel.h"

namespace auxbench::box_nms {
namespace {

bool suppressed(const Block* blocks, size_t count, const Candidate& box, float threshold) {
  const __m512 x0 = _mm512_set1_ps(box.x0), y0 = _mm512_set1_ps(box.y0), x1 = _mm512_set1_ps(box.x1),
               y1 = _mm512_set1_ps(box.y1), area = _mm512_set1_ps(box.area), limit = _mm512_set1_ps(threshold),
               zero = _mm512_setzero_ps();
  for (const Block* block = blocks; block != blocks + count; ++block) {
    const __m512 w =
        _mm512_sub_ps(_mm512_min_ps(_mm512_load_ps(block->x1), x1), _mm512_max_ps(_mm512_load_ps(block->x0), x0));
    const __m512 h =
        _mm512_sub_ps(_mm512_min_ps(_mm512_load_ps(block->y1), y1), _mm512_max_ps(_mm512_load_ps(block->y0), y0));
    const __mmask16 inside = _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(w, zero, _CMP_GT_OQ), h, zero, _CMP_GT_OQ);
    const __m512 inter = _mm512_mul_ps(w, h);
    const __m512 both = _mm512_sub_ps(_mm512_add_ps(_mm512_load_ps(block->area), area), inter);
    const __mmask16 near = _mm512_mask_cmp_ps_mask(inside, inter, _mm512_mul_ps(limit, both), _CMP_GE_OQ);
    if (near == 0) continue;
    if (_mm512_mask_cmp_ps_mask(near, _mm512_div_ps(inter, both), limit, _CMP_GT_OQ) != 0) return true;
  }
  return false;
}

}  // namespace

extern const Kernel avx512_kernel;
const Kernel avx512_kernel = {"avx512", [](const Isa& isa) { return isa.avx512; }, suppressed};

}  // namespace auxbench::box_nms
