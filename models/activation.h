// Activation functions of full-precision maps.
//
//   relu      max(x, 0)
//   relu6     min(max(x, 0), 6)
//   hardtanh  min(max(x, -1), 1)
//   tanh      tanh(x)
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace auxbench {

enum class ActivationFunction { relu, relu6, hardtanh, tanh };

ActivationFunction activation_function(const std::string& name);
const char* activation_name(ActivationFunction function);

at::Tensor activate(ActivationFunction function, const at::Tensor& x);
// Overwrites x; backward needs the result alone.
at::Tensor activate_in_place(ActivationFunction function, at::Tensor x);

}  // namespace auxbench
