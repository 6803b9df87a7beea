// Elementwise sums of float maps, and single digits of codes. Rows first .. last of all images, counted through (n h +
// y). Each product and each sum is rounded once, in the order written. No allocation, no lock.
#pragma once

#include <span>

#include "kernels/requantize/requantize.h"

namespace auxbench::combine {

using In = requantize::FloatMap<const float>;
using Out = requantize::FloatMap<float>;

// out = ((factors[0] in[0] + factors[1] in[1]) + factors[2] in[2]) ..
void weighted_sum_rows(std::span<const In> in, std::span<const float> factors, const Out& out, int64_t first,
                       int64_t last);

// u -> bit u of `mask`, 0 or 1; codes up to 31.
void digit_rows(const requantize::CodeMap<const uint8_t>& in, uint32_t mask, const requantize::CodeMap<uint8_t>& out,
                int64_t first, int64_t last);

// One number at a time: the slow truth.
namespace reference {
void weighted_sum_rows(std::span<const In> in, std::span<const float> factors, const Out& out, int64_t first,
                       int64_t last);
void digit_rows(const requantize::CodeMap<const uint8_t>& in, uint32_t mask, const requantize::CodeMap<uint8_t>& out,
                int64_t first, int64_t last);
}  // namespace reference

}  // namespace auxbench::combine
