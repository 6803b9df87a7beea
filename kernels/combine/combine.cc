#include "kernels/combine/combine.h"

#include <algorithm>

namespace auxbench::combine {

void weighted_sum_rows(std::span<const In> in, std::span<const float> factors, const Out& out, int64_t first,
                       int64_t last) {
  for (int64_t row = first; row < last; ++row) {
    const int64_t n = row / out.h, y = row % out.h, length = out.w * out.pixel;
    float* __restrict to = out.at(n, y, 0);
    for (size_t i = 0; i < in.size(); ++i) {
      const float* __restrict from = in[i].at(n, y, 0);
      const float factor = factors[i];
      if (i == 0)
        for (int64_t j = 0; j < length; ++j) to[j] = factor * from[j];
      else
        for (int64_t j = 0; j < length; ++j) to[j] = to[j] + factor * from[j];
    }
  }
}

void digit_rows(const requantize::CodeMap<const uint8_t>& in, uint32_t mask, const requantize::CodeMap<uint8_t>& out,
                int64_t first, int64_t last) {
  const int64_t pixel = std::min(in.pixel, out.pixel);
  for (int64_t row = first; row < last; ++row)
    for (int64_t x = 0; x < out.w; ++x) {
      const uint8_t* __restrict from = in.at(row / out.h, row % out.h, x);
      uint8_t* __restrict to = out.at(row / out.h, row % out.h, x);
      for (int64_t c = 0; c < pixel; ++c) to[c] = static_cast<uint8_t>(mask >> (from[c] & 31U) & 1U);
    }
}

}  // namespace auxbench::combine
