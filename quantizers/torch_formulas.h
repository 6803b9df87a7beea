// The methods' formulas as chains of torch operators, as their authors' code has them: the slow truth beside the fused
// passes, and their opponent in speed (bench.cc). At the narrowest width above one bit that a method has, else at one.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "quantizers/quantizer.h"

namespace auxbench {

// Values of x in training, differentiable in x and in the parameters of `fitted`, which must have seen a tensor and be
// kept alive. Empty for methods that are fitted after training. State of `fitted` is read, never changed.
std::function<at::Tensor(const at::Tensor& x)> torch_formula(const std::string& method, Role role, Quantizer& fitted);

// The width the formulas are written for.
int torch_formula_bits(const std::string& method);

}  // namespace auxbench
