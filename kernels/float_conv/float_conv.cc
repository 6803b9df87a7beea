#include "kernels/float_conv/float_conv.h"

namespace auxbench::float_conv {

void rows_generic(const Shape&, const requantize::FloatMap<const float>&, const float*,
                  const requantize::FloatMap<float>&, int64_t, int64_t);
#if defined(__x86_64__)
void rows_avx2(const Shape&, const requantize::FloatMap<const float>&, const float*, const requantize::FloatMap<float>&,
               int64_t, int64_t);
void rows_avx512(const Shape&, const requantize::FloatMap<const float>&, const float*,
                 const requantize::FloatMap<float>&, int64_t, int64_t);
#endif

std::vector<float> pack(const Shape& shape, std::span<const float> weights) {
  const int64_t taps = shape.r * shape.s * shape.c;
  std::vector<float> packed(static_cast<size_t>(taps * requantize::padded_channels(shape.out)));
  for (int64_t o = 0; o < shape.out; ++o)
    for (int64_t t = 0; t < taps; ++t)
      packed[static_cast<size_t>((o / kPanel * taps + t) * kPanel + o % kPanel)] =
          weights[static_cast<size_t>(o * taps + t)];
  return packed;
}

Rows rows_for(const Isa& isa) {
#if defined(__x86_64__)
  if (isa.avx512) return rows_avx512;
  if (isa.avx2) return rows_avx2;
#else
  (void)isa;
#endif
  return rows_generic;
}

}  // namespace auxbench::float_conv
