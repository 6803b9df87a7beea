// Codes as binary numbers, for methods whose levels are sums over a basis (Codes::basis). For .cc files of this room.
#pragma once

#include "base/torch_prelude.h"

namespace auxbench {

// [2^k, k]: the digits of each code, lowest first, as 0/1 or, where `signed_digits`, -1/+1.
at::Tensor digit_table(int64_t bits, bool signed_digits, const at::TensorOptions& options);

// table[code] for every code, in one pass. table: [2^k] for all, or [rows of codes, 2^k]; k <= 4. No gradient.
at::Tensor by_code(const at::Tensor& codes, const at::Tensor& table);

}  // namespace auxbench
