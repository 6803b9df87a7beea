#include "quantizers/quantized_layers.h"

#include <cmath>

#include "base/torch_prelude.h"
#include "quantizers/code_conv.h"
#include "quantizers/reduce.h"

namespace auxbench {
namespace {

at::Tensor kaiming_weight(const ConvOptions& options) {
  const double deviation = std::sqrt(2.0 / static_cast<double>(options.out * options.kernel * options.kernel));
  return at::empty({options.out, options.in / options.groups, options.kernel, options.kernel}).normal_(0, deviation);
}

at::Tensor linear_weight(int64_t in, int64_t out) {
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  return at::empty({out, in}).uniform_(-bound, bound);
}

// A linear layer is a convolution of one pixel.
Codes as_pixels(Codes coded) {
  if (coded.codes.dim() != 2) return coded;
  coded.codes = coded.codes.unsqueeze(2).unsqueeze(3);
  if (coded.edge.defined()) coded.edge = coded.edge.unsqueeze(2).unsqueeze(3);
  return coded;
}

// s = <w, q> / <q, q>, or E|w| where that is not above zero. Sums in double.
at::Tensor closest_scale(const at::Tensor& w, const Codes& coded) {
  const at::NoGradGuard no_gradient;
  const auto q = decode({.codes = coded.codes, .scale = coded.scale});
  const auto found = (w * q).sum(at::kDouble) / q.square().sum(at::kDouble);
  return at::where(found.gt(0), found, w.abs().mean(at::kDouble)).to(w.scalar_type());
}

// The one place that chooses how sums are computed.
const ConvBackend& backend_for(Phase phase) { return phase == Phase::training ? sums_of_training() : exact_sums(); }

// Tells a quantizer's tensors from all others.
struct QuantizerModule final : torch::nn::Module {};

}  // namespace

std::set<std::string> quantizer_tensors(const torch::nn::Module& root) {
  std::set<std::string> names;
  for (const auto& module : root.named_modules({}, /*include_self=*/false)) {
    if (dynamic_cast<const QuantizerModule*>(module.value().get()) == nullptr) continue;
    for (const auto& parameter : module.value()->named_parameters()) names.insert(module.key() + "." + parameter.key());
    for (const auto& buffer : module.value()->named_buffers()) names.insert(module.key() + "." + buffer.key());
  }
  return names;
}

void register_quantizer(torch::nn::Module& owner, const std::string& name, Quantizer& quantizer) {
  if (quantizer.parameters().empty() && quantizer.state().empty()) return;
  auto holder = owner.register_module(name, std::make_shared<QuantizerModule>());
  for (auto& [key, parameter] : quantizer.parameters()) parameter = holder->register_parameter(key, parameter);
  for (auto& [key, state] : quantizer.state()) state = holder->register_buffer(key, state);
}

std::unique_ptr<Quantizer> layer_quantizer(const PrecisionPlan& plan, Role role, int bits) {
  if (!plan.quantizes() || bits >= kFullPrecision) return nullptr;
  const auto* method = find_quantizer(plan.quantizer);
  const bool defined =
      method == nullptr || (role == Role::weight ? method->weight_bits : method->activation_bits).has(bits);
  if (bits == 8 && !defined) return make_quantizer("lsq", role, bits);
  return make_quantizer(plan.quantizer, role, bits, plan.settings_for(role));
}

QuantizedWeight::QuantizedWeight(at::Tensor weight, const PrecisionPlan& plan, const LayerPrecision& precision,
                                 bool quantize_input)
    : module_(std::make_shared<torch::nn::Module>()),
      weight_quantizer_(layer_quantizer(plan, Role::weight, precision.weight_bits)) {
  of_quantized_network_ = plan.quantizes();
  weight_ = module_->register_parameter("weight", std::move(weight));
  if (quantize_input) input_quantizer_ = layer_quantizer(plan, Role::activation, precision.activation_bits);
  if (weight_quantizer_) weight_quantizer_->allocate_state(weight_);
  if (input_quantizer_) input_quantizer_->allocate_state(weight_);
  if (weight_quantizer_) register_quantizer(*module_, "weight_quantizer", *weight_quantizer_);
  if (input_quantizer_) register_quantizer(*module_, "input_quantizer", *input_quantizer_);
}

at::Tensor QuantizedWeight::convolve(const Codes& x, const ConvGeometry& geometry, bool with_norm) {
  const auto phase = module_->is_training() ? Phase::training : Phase::evaluation;
  const auto input = as_pixels(quantizes_input() ? input_quantizer_->encode(decode(x), phase) : x);
  if (!weights_of_pass_) weights_of_pass_ = weights_for(input, geometry, with_norm, phase);
  const auto weight = *weights_of_pass_;
  if (!encodes_once_) weights_of_pass_.reset();
  auto y = sums_exactly() ? exact_conv_on_codes(input, as_pixels(weight), geometry)
                          : conv_on_codes(input, as_pixels(weight), geometry, backend_for(phase));
  if (watcher_) watcher_({.input = decode(as_pixels(x)), .output = y, .geometry = geometry});
  return y;
}

Codes QuantizedWeight::weights_for(const Codes& input, const ConvGeometry& geometry, bool with_norm, Phase phase) {
  if (bypassed_ || !weight_quantizer_) return {.codes = weight_};
  auto weight = weight_quantizer_->encode(weight_, phase);
  if (weight_quantizer_->wants_output_scale()) {
    fit_output_scale(input, weight, geometry);
    weight = weight_quantizer_->encode(weight_, phase);
  }
  if (!with_norm) scale_without_norm(weight);
  return weight;
}

bool QuantizedWeight::sums_exactly() const {
  return of_quantized_network_ && !module_->is_training() && !at::GradMode::is_enabled();
}

void QuantizedWeight::scale_without_norm(Codes& weight) const {
  if (weight_quantizer_->output_in_input_scale()) return;
  const auto scale = closest_scale(weight_, weight);
  weight.scale = weight.scale * scale;
  // What arrives is the gradient of the scaled values; the quantizer wants that of its own.
  if (weight.edge.defined()) weight.edge = weight.edge * scale;
}

Codes QuantizedWeight::encoded(bool with_norm) {
  const at::NoGradGuard no_gradient;
  if (!weight_quantizer_) return as_pixels({.codes = weight_.detach()});
  auto weight = weight_quantizer_->encode(weight_, Phase::evaluation);
  if (!with_norm) scale_without_norm(weight);
  return as_pixels(weight);
}

void QuantizedWeight::fit_output_scale(const Codes& x, const Codes& w, const ConvGeometry& geometry) {
  const at::NoGradGuard no_gradient;
  const auto mean_magnitude = [](const at::Tensor& y) { return mean_of_parts(y.abs().mean(), y.numel()); };
  const auto exact = mean_magnitude(conv_on_codes({.codes = decode(x)}, as_pixels({.codes = weight_}), geometry));
  const auto quantized = mean_magnitude(conv_on_codes(x, as_pixels(w), geometry));
  weight_quantizer_->set_output_scale(exact / quantized.clamp_min(1e-8));
}

QuantConv::QuantConv(const ConvOptions& options, const PrecisionPlan& plan, LayerPosition position, bool quantize_input)
    : options_(options), weight_(kaiming_weight(options), plan, plan.layer(position), quantize_input) {
  if (options.bias) bias_ = weight_.module()->register_parameter("bias", at::zeros({options.out}));
}

at::Tensor QuantConv::forward(const Codes& x) {
  auto y = weight_.convolve(x, {.stride = options_.stride, .padding = options_.padding, .groups = options_.groups},
                            options_.norm);
  if (!bias_.defined()) return y;
  const auto bias = bias_.view({1, -1, 1, 1});
  return weight_.watched() ? y.add(bias) : y.add_(bias);  // who watches keeps y
}

QuantLinear::QuantLinear(int64_t in, int64_t out, const PrecisionPlan& plan, LayerPosition position)
    : weight_(linear_weight(in, out), plan, plan.layer(position), true) {
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  bias_ = weight_.module()->register_parameter("bias", at::empty({out}).uniform_(-bound, bound));
}

at::Tensor QuantLinear::forward(const at::Tensor& x) {
  if (weight_.full_precision() && !weight_.sums_exactly()) return at::linear(x, weight_.values(), bias_);
  return weight_.convolve({.codes = x}, {}, /*with_norm=*/false).flatten(1).add(bias_);
}

}  // namespace auxbench
