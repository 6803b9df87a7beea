// The slow truth of lowbit_gemm.h: three loops in int64, one number of C at a time.
#pragma once

#include <vector>

#include "kernels/lowbit_gemm/lowbit_gemm.h"

namespace auxbench::lowbit_gemm {

// codes [n][k]. Returns [m][n].
std::vector<int64_t> reference(const Problem& problem, std::span<const int8_t> codes, const Matrix& a);

}  // namespace auxbench::lowbit_gemm
