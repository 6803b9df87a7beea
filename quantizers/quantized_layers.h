// Convolution and linear layers with quantized weights and input: the one place that decides how codes meet weights.
//
// The seam for code convolutions (integers in float, exact below 2^24) and for integer forward passes is here.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "quantizers/precision.h"
#include "quantizers/quantizer.h"

namespace torch::nn {
class Module;
}

namespace auxbench {

struct ConvOptions {
  int64_t in = 0;
  int64_t out = 0;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t padding = 0;
};

// Weights [out, in, kernel, kernel] without bias, Kaiming-normal by fan-out (as torchvision's ResNets).
class QuantConv {
 public:
  QuantConv(const ConvOptions& options, const PrecisionPlan& plan, LayerPlace place, bool quantize_input);

  // Holds the parameter "weight"; the network registers it under the layer's name.
  [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const { return module_; }

  // x [N, in, H, W]. The input is quantized here unless the block has done it at its output.
  at::Tensor forward(const at::Tensor& x);

  [[nodiscard]] const ConvOptions& options() const { return options_; }
  [[nodiscard]] const LayerPrecision& precision() const { return precision_; }

 private:
  ConvOptions options_;
  LayerPrecision precision_;
  std::shared_ptr<torch::nn::Module> module_;
  std::shared_ptr<Quantizer> weight_quantizer_, input_quantizer_;  // null: full precision
  at::Tensor weight_;
};

// Weights [out, in] and bias, initialised as torch's Linear; quantized weights carry E|w| (detached), since no norm
// follows that could undo a weight of magnitude one.
class QuantLinear {
 public:
  QuantLinear(int64_t in, int64_t out, const PrecisionPlan& plan);
  [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const { return module_; }
  at::Tensor forward(const at::Tensor& x);

 private:
  std::shared_ptr<torch::nn::Module> module_;
  std::shared_ptr<Quantizer> weight_quantizer_, input_quantizer_;
  at::Tensor weight_, bias_;
};

// nullptr at full precision; throws UserError for a method that does not exist.
std::unique_ptr<Quantizer> make_quantizer(const std::string& method, Role role, int bits);

}  // namespace auxbench
