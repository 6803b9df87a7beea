#include "quantizers/methods/methods.h"

namespace auxbench {

const std::vector<QuantizerMethod>& quantizer_methods() {
#define RANGE(first, last) \
  { first, last }
#define METHOD(name, maker, paper, weights, activations, activation, at, block, lr, decays, fitting, epoch) \
  {                                                                                                         \
      name,                                                                                                 \
      paper,                                                                                                \
      BitRange RANGE weights,                                                                               \
      BitRange RANGE activations,                                                                           \
      activation,                                                                                           \
      at,                                                                                                   \
      block,                                                                                                \
      lr,                                                                                                   \
      decays,                                                                                               \
      Fitting::fitting,                                                                                     \
      epoch},
  static const std::vector<QuantizerMethod> kMethods = {
#include "quantizers/methods/methods.inc"
  };
#undef METHOD
#undef RANGE
  return kMethods;
}

const QuantizerMethod* find_quantizer(const std::string& name) {
  for (const auto& method : quantizer_methods())
    if (method.name == name) return &method;
  return nullptr;
}

}  // namespace auxbench
