// Nearest upsampling of maps (kernels/requantize/requantize.h) to any size, as torch's upsample_nearest2d. Output rows
// first .. last of all images, counted through (n h + y); no allocation, no lock.
//
//   out[n, y, x] = in[n, source(y, in.h, out.h), source(x, in.w, out.w)]
//   source(i, from, to) = min(floor(float(i) (float(from) / float(to))), from - 1)      each operation rounded to float
#pragma once

#include "kernels/requantize/requantize.h"

namespace auxbench::upsampling {

// All of a pixel's floats are copied, those beyond the last channel too.
void nearest_rows(const requantize::FloatMap<const float>& in, const requantize::FloatMap<float>& out, int64_t first,
                  int64_t last);

// Codes stay what they are; the border of `out` is left alone.
void nearest_rows(const requantize::CodeMap<const uint8_t>& in, const requantize::CodeMap<uint8_t>& out, int64_t first,
                  int64_t last);

// One number at a time: the slow truth.
namespace reference {
void nearest_rows(const requantize::FloatMap<const float>& in, const requantize::FloatMap<float>& out, int64_t first,
                  int64_t last);
void nearest_rows(const requantize::CodeMap<const uint8_t>& in, const requantize::CodeMap<uint8_t>& out, int64_t first,
                  int64_t last);
}  // namespace reference

}  // namespace auxbench::upsampling
