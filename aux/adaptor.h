// A convolution and its batch norm at full precision, without bias: what paths beside a network are made of.
// For .cc files of this room.
#pragma once

#include <memory>

#include "base/torch_prelude.h"
#include "models/batch_norm.h"
#include "quantizers/quantized_layers.h"

namespace auxbench {

// Holds "conv" and "norm". Draws its weights from torch's default generator.
class Adaptor final : public torch::nn::Module {
 public:
  explicit Adaptor(const ConvOptions& options)
      : conv_(options, PrecisionPlan{}, LayerPosition::inner, false),
        norm_(register_module("norm", std::make_shared<torch::nn::BatchNorm2dImpl>(options.out))) {
    register_module("conv", conv_.module());
  }
  at::Tensor forward(const at::Tensor& x, const AfterNorm& after = {}) {
    return normalised(*norm_, conv_.forward(x), after);
  }

 private:
  QuantConv conv_;
  std::shared_ptr<torch::nn::BatchNorm2dImpl> norm_;
};

}  // namespace auxbench
