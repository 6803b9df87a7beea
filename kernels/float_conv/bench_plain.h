// bench.cc's opponent. packed: [r][s][c][padded out] doubles.
#pragma once

#include "kernels/float_conv/float_conv.h"

namespace auxbench::float_conv {

using PlainRows = void(const Shape& shape, const requantize::FloatMap<const float>& in, const double* packed,
                       const requantize::FloatMap<float>& out, int64_t first, int64_t last);
PlainRows plain_generic, plain_avx2, plain_avx512;

}  // namespace auxbench::float_conv
