// combine.h's formulas as they stand there, one number at a time.
#include <algorithm>

#include "kernels/combine/combine.h"

namespace auxbench::combine::reference {

void weighted_sum_rows(std::span<const In> in, std::span<const float> factors, const Out& out, int64_t first,
                       int64_t last) {
  for (int64_t row = first; row < last; ++row)
    for (int64_t x = 0; x < out.w; ++x)
      for (int64_t c = 0; c < out.pixel; ++c) {
        const auto term = [&](size_t i) { return factors[i] * in[i].at(row / out.h, row % out.h, x)[c]; };
        float sum = term(0);
        for (size_t i = 1; i < in.size(); ++i) sum = sum + term(i);
        out.at(row / out.h, row % out.h, x)[c] = sum;
      }
}

void digit_rows(const requantize::CodeMap<const uint8_t>& in, uint32_t mask, const requantize::CodeMap<uint8_t>& out,
                int64_t first, int64_t last) {
  for (int64_t row = first; row < last; ++row)
    for (int64_t x = 0; x < out.w; ++x)
      for (int64_t c = 0; c < std::min(in.pixel, out.pixel); ++c) {
        const int code = in.at(row / out.h, row % out.h, x)[c];
        out.at(row / out.h, row % out.h, x)[c] = (mask & (uint32_t{1} << code)) != 0 ? 1 : 0;
      }
}

}  // namespace auxbench::combine::reference
