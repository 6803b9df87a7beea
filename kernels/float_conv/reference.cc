// float_conv.h's sum as it stands there.
#include "kernels/float_conv/float_conv.h"

namespace auxbench::float_conv {

void rows_reference(const Shape& shape, const requantize::FloatMap<const float>& in, const float* packed,
                    const requantize::FloatMap<float>& out, int64_t first, int64_t last) {
  const int64_t taps = shape.r * shape.s * shape.c;
  for (int64_t row = first; row < last; ++row)
    for (int64_t x = 0; x < out.w; ++x)
      for (int64_t o = 0; o < requantize::padded_channels(shape.out); ++o) {
        const float* weights = packed + o / kPanel * taps * kPanel + o % kPanel;
        double sum = 0;
        for (int64_t r = 0; r < shape.r; ++r)
          for (int64_t s = 0; s < shape.s; ++s) {
            const int64_t i = row % out.h * shape.stride + r - shape.pad, j = x * shape.stride + s - shape.pad;
            if (i < 0 || i >= in.h || j < 0 || j >= in.w) continue;
            const float* tap = weights + (r * shape.s + s) * shape.c * kPanel;
            for (int64_t c = 0; c < shape.c; ++c)
              sum += static_cast<double>(in.at(row / out.h, i, j)[c]) * static_cast<double>(tap[c * kPanel]);
          }
        out.at(row / out.h, row % out.h, x)[o] = static_cast<float>(sum);
      }
}

}  // namespace auxbench::float_conv
