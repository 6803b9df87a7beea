#include "kernels/lowbit_conv/reference.h"

namespace auxbench::lowbit_conv {

std::vector<int64_t> reference(const Problem& p, std::span<const int8_t> codes, std::span<const uint8_t> in) {
  const auto value_of = [&](int64_t code) { return p.odd_weights ? 2 * code + 1 : code; };
  std::vector<int64_t> acc;
  acc.reserve(static_cast<size_t>(p.n * p.out_h() * p.out_w() * p.out));
  for (int64_t n = 0; n < p.n; ++n)
    for (int64_t y = 0; y < p.out_h(); ++y)
      for (int64_t x = 0; x < p.out_w(); ++x)
        for (int64_t o = 0; o < p.out; ++o) {
          int64_t sum = 0;
          for (int64_t r = 0; r < p.r; ++r)
            for (int64_t s = 0; s < p.s; ++s) {
              const int64_t row = y * p.stride + r - p.pad, column = x * p.stride + s - p.pad;
              if (row < 0 || row >= p.h || column < 0 || column >= p.w) continue;
              for (int64_t c = 0; c < p.c; ++c) {
                const auto weight = value_of(codes[static_cast<size_t>(((o * p.r + r) * p.s + s) * p.c + c)]);
                const int64_t u = in[static_cast<size_t>(((n * p.h + row) * p.w + column) * p.c + c)];
                sum += weight * (p.activation_step * u + p.activation_shift);
              }
            }
          acc.push_back(sum);
        }
  return acc;
}

}  // namespace auxbench::lowbit_conv
