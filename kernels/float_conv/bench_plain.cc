// The loop that the blocked kernels replaced, for bench.cc: one pixel by 16 outputs, two chains of sums.
// AUXBENCH_PLAIN_ROWS: what it is called, as its instruction set.
#include "kernels/float_conv/bench_plain.h"

namespace auxbench::float_conv {

void AUXBENCH_PLAIN_ROWS(const Shape& shape, const requantize::FloatMap<const float>& in, const double* packed,
                         const requantize::FloatMap<float>& out, int64_t first, int64_t last) {
  constexpr int64_t kBlock = kPanel;
  const int64_t padded = (shape.out + kBlock - 1) / kBlock * kBlock;
  for (int64_t row = first; row < last; ++row) {
    const int64_t n = row / out.h, y = row % out.h;
    for (int64_t x = 0; x < out.w; ++x)
      for (int64_t o = 0; o < padded; o += kBlock) {
        double sums[kBlock] = {};
        for (int64_t r = 0; r < shape.r; ++r)
          for (int64_t s = 0; s < shape.s; ++s) {
            const int64_t i = y * shape.stride + r - shape.pad, j = x * shape.stride + s - shape.pad;
            if (i < 0 || i >= in.h || j < 0 || j >= in.w) continue;
            const float* from = in.data + ((n * in.h + i) * in.w + j) * in.pixel;
            const double* weights = packed + (r * shape.s + s) * shape.c * padded + o;
            for (int64_t c = 0; c < shape.c; ++c, weights += padded) {
              const double a = static_cast<double>(from[c]);
              for (int64_t k = 0; k < kBlock; ++k) sums[k] += a * weights[k];
            }
          }
        float* to = out.data + ((n * out.h + y) * out.w + x) * out.pixel + o;
        for (int64_t k = 0; k < kBlock; ++k) to[k] = static_cast<float>(sums[k]);
      }
  }
}

}  // namespace auxbench::float_conv
