// Convolution of floats, products and sums in double, rounded to float once: what a quantized network's float layers
// (its first and last) compute, the same in any order of adding but for one result in about a hundred million.
//
//   out[n, y, x, o] = float( sum over r, s, c of  w[o, r, s, c] in[n, y stride + r - pad, x stride + s - pad, c] )
// Taps outside count as 0. No allocation, no lock.
#pragma once

#include <span>
#include <vector>

#include "kernels/isa/isa.h"
#include "kernels/requantize/requantize.h"

namespace auxbench::float_conv {

struct Shape {
  int64_t c = 0, out = 0, r = 1, s = 1, stride = 1, pad = 0;
};

// [out][r][s][c] as rows() reads it: [r][s][c][padded out].
std::vector<double> pack(const Shape& shape, std::span<const float> weights);

// Output rows first .. last of all images, counted through (n h + y) of `out`.
using Rows = void (*)(const Shape& shape, const requantize::FloatMap<const float>& in, const double* packed,
                      const requantize::FloatMap<float>& out, int64_t first, int64_t last);
Rows rows_for(const Isa& isa);

}  // namespace auxbench::float_conv
