// Pooling of maps (kernels/requantize/requantize.h), as torch's operators round. Output rows first .. last of all
// images, counted through (n h + y); channels beyond the last are pooled too and mean nothing. No allocation, no lock.
#pragma once

#include "kernels/requantize/requantize.h"

namespace auxbench::pooling {

using In = requantize::FloatMap<const float>;
using Out = requantize::FloatMap<float>;

// 3 x 3, stride 2, padding 1: the largest of those inside.
void max_rows(const In& in, const Out& out, int64_t first, int64_t last);

// The same on codes, which rise with what they stand for.
void max_rows(const requantize::CodeMap<const uint8_t>& in, const requantize::CodeMap<uint8_t>& out, int64_t first,
              int64_t last);

// 2 x 2, stride 2; where a map is odd its last row and column are averaged alone: the sum in reading order, divided by
// how many there were.
void average_rows(const In& in, const Out& out, int64_t first, int64_t last);

// The mean over all pixels of images first .. last, summed in double and rounded once. out: maps of one pixel.
void mean_images(const In& in, const Out& out, int64_t first, int64_t last);

// One number at a time: the slow truth.
namespace reference {
void max_rows(const In& in, const Out& out, int64_t first, int64_t last);
void max_rows(const requantize::CodeMap<const uint8_t>& in, const requantize::CodeMap<uint8_t>& out, int64_t first,
              int64_t last);
void average_rows(const In& in, const Out& out, int64_t first, int64_t last);
void mean_images(const In& in, const Out& out, int64_t first, int64_t last);
}  // namespace reference

}  // namespace auxbench::pooling
