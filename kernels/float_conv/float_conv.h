// Convolution of floats: what a quantized network's float layers (its first and last) compute.
//
//   out[n, y, x, o] = float( sum over r, s, c of  w[o, r, s, c] in[n, y stride + r - pad, x stride + s - pad, c] )
// Products and sums are double; the sum is rounded to float once. Each output adds its products in the order r, s, c,
// so that every instruction set gives the same bits. Another order would change about one result in a hundred million.
// Taps outside the image are not added. No allocation, no lock.
#pragma once

#include <span>
#include <vector>

#include "kernels/isa/isa.h"
#include "kernels/requantize/requantize.h"

namespace auxbench::float_conv {

struct Shape {
  int64_t c = 0, out = 0, r = 1, s = 1, stride = 1, pad = 0;
};

// Outputs whose weights lie side by side.
inline constexpr int64_t kPanel = requantize::kChannelBlock;

// From [out][r][s][c] to what Rows reads: [padded out / kPanel][r][s][c][kPanel], zeros where there is no output.
std::vector<float> pack(const Shape& shape, std::span<const float> weights);

// Output rows first .. last of all images, counted through (n h + y) of `out`; channels up to the next multiple of
// kPanel are written. `packed`: what pack() gave.
using Rows = void (*)(const Shape& shape, const requantize::FloatMap<const float>& in, const float* packed,
                      const requantize::FloatMap<float>& out, int64_t first, int64_t last);
Rows rows_for(const Isa& isa);
void rows_reference(const Shape& shape, const requantize::FloatMap<const float>& in, const float* packed,
                    const requantize::FloatMap<float>& out, int64_t first, int64_t last);  // one output at a time

}  // namespace auxbench::float_conv
