// A layer's weights as numbers that an integer network keeps. For .cc files of this room.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "quantizers/code_conv.h"

namespace auxbench {

std::vector<float> floats(const at::Tensor& tensor);

// [out, in, r, s] -> [out][r][s][in]
std::vector<float> in_kernel_order(const at::Tensor& weights);

// Weight codes as the kernels take them.
struct WeightCodes {
  std::vector<int8_t> codes;
  int bits = 8;
  bool odd = false;
};

// Throws UserError, naming the layer, for numbers that are not finite or that 8 bits do not hold.
WeightCodes weight_codes(const at::Tensor& whole_numbers, const std::string& name);

// A factor of a convolution on codes: the whole numbers, or one digit of them, and what they count.
struct WeightTerm {
  at::Tensor numbers, scale;
};

std::vector<WeightTerm> weight_terms(const Codes& w);

}  // namespace auxbench
