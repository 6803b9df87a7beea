// The slow truth of lowbit_conv.h: seven loops in int64, one output at a time.
#pragma once

#include <vector>

#include "kernels/lowbit_conv/lowbit_conv.h"

namespace auxbench::lowbit_conv {

// codes [out][r][s][c]; in: unsigned codes [n][h][w][c] without border. Returns [n][out_h][out_w][out].
std::vector<int64_t> reference(const Problem& problem, std::span<const int8_t> codes, std::span<const uint8_t> in);

}  // namespace auxbench::lowbit_conv
