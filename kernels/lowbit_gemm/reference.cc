#include "kernels/lowbit_gemm/reference.h"

namespace auxbench::lowbit_gemm {

std::vector<int64_t> reference(const Problem& p, std::span<const int8_t> codes, const Matrix& a) {
  std::vector<int64_t> c;
  c.reserve(static_cast<size_t>(p.m * p.n));
  for (int64_t i = 0; i < p.m; ++i)
    for (int64_t j = 0; j < p.n; ++j) {
      int64_t sum = 0;
      for (int64_t k = 0; k < p.k; ++k) {
        const int64_t code = codes[static_cast<size_t>(j * p.k + k)], u = a.data[i * a.stride + k];
        sum += (p.odd_weights ? 2 * code + 1 : code) * (p.activation_step * u + p.activation_shift);
      }
      c.push_back(sum);
    }
  return c;
}

}  // namespace auxbench::lowbit_gemm
