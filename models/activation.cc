#include "models/activation.h"

#include "base/check.h"
#include "base/torch_prelude.h"

namespace auxbench {

ActivationFunction activation_function(const std::string& name) {
  for (const auto function :
       {ActivationFunction::relu, ActivationFunction::relu6, ActivationFunction::hardtanh, ActivationFunction::tanh})
    if (name == activation_name(function)) return function;
  AUXBENCH_CHECK(false, "an activation function that exists, not " + name);
}

const char* activation_name(ActivationFunction function) {
  switch (function) {
    case ActivationFunction::relu:
      return "relu";
    case ActivationFunction::relu6:
      return "relu6";
    case ActivationFunction::hardtanh:
      return "hardtanh";
    case ActivationFunction::tanh:
      return "tanh";
  }
  AUXBENCH_CHECK(false, "an activation function that exists");
}

at::Tensor activate(ActivationFunction function, const at::Tensor& x) {
  switch (function) {
    case ActivationFunction::relu:
      return at::relu(x);
    case ActivationFunction::relu6:
      return at::relu6(x);
    case ActivationFunction::hardtanh:
      return at::hardtanh(x, -1, 1);
    case ActivationFunction::tanh:
      return at::tanh(x);
  }
  AUXBENCH_CHECK(false, "an activation function that exists");
}

at::Tensor activate_in_place(ActivationFunction function, at::Tensor x) {
  switch (function) {
    case ActivationFunction::relu:
      return at::relu_(x);
    case ActivationFunction::relu6:
      return at::relu6_(x);
    case ActivationFunction::hardtanh:
      return at::hardtanh_(x, -1, 1);
    case ActivationFunction::tanh:
      return at::tanh_(x);
  }
  AUXBENCH_CHECK(false, "an activation function that exists");
}

}  // namespace auxbench
