#include "quantizers/quantized_layers.h"

#include <cmath>

#include "base/error.h"
#include "base/torch_prelude.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_quantizer(const std::string& method, Role role, int bits) {
  if (bits >= kFullPrecision) return nullptr;
  const auto* found = find_quantizer(method);
  if (found == nullptr) throw UserError(ExitCode::invalid_suite, "quantizer " + method + ": not implemented yet");
  return found->make(role, bits, {});
}

QuantConv::QuantConv(const ConvOptions& options, const PrecisionPlan& plan, LayerPlace place, bool quantize_input)
    : options_(options), precision_(plan.layer(place)), module_(std::make_shared<torch::nn::Module>()) {
  weight_quantizer_ = make_quantizer(plan.quantizer, Role::weight, precision_.weight_bits);
  if (quantize_input) input_quantizer_ = make_quantizer(plan.quantizer, Role::activation, precision_.activation_bits);
  const double deviation = std::sqrt(2.0 / static_cast<double>(options.out * options.kernel * options.kernel));
  weight_ = module_->register_parameter(
      "weight", at::empty({options.out, options.in, options.kernel, options.kernel}).normal_(0, deviation));
}

at::Tensor QuantConv::forward(const at::Tensor& x) {
  const auto input = input_quantizer_ ? input_quantizer_->quantize(x) : x;
  const auto weight = weight_quantizer_ ? weight_quantizer_->quantize(weight_) : weight_;
  // Padding happens here, after quantization: the border is a true zero even on a grid without one.
  return at::conv2d(input, weight, {}, options_.stride, options_.padding);
}

QuantLinear::QuantLinear(int64_t in, int64_t out, const PrecisionPlan& plan)
    : module_(std::make_shared<torch::nn::Module>()) {
  const auto precision = plan.layer(LayerPlace::last);
  weight_quantizer_ = make_quantizer(plan.quantizer, Role::weight, precision.weight_bits);
  input_quantizer_ = make_quantizer(plan.quantizer, Role::activation, precision.activation_bits);
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  weight_ = module_->register_parameter("weight", at::empty({out, in}).uniform_(-bound, bound));
  bias_ = module_->register_parameter("bias", at::empty({out}).uniform_(-bound, bound));
}

at::Tensor QuantLinear::forward(const at::Tensor& x) {
  const auto input = input_quantizer_ ? input_quantizer_->quantize(x) : x;
  if (!weight_quantizer_) return at::linear(input, weight_, bias_);
  return at::linear(input, weight_quantizer_->quantize(weight_) * weight_.detach().abs().mean(), bias_);
}

}  // namespace auxbench
