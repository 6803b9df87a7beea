#include "models/conv_norm.h"

#include <cmath>

#include "base/torch_prelude.h"

namespace auxbench {
namespace {

void draw(const at::Tensor& weight, WeightStart start) {
  constexpr double kDeviation = 0.01;
  const at::NoGradGuard no_gradient;
  if (start == WeightStart::normal) {
    weight.normal_(0, kDeviation);
    return;
  }
  const double bound = std::sqrt(3.0 / static_cast<double>(weight[0].numel()));
  weight.uniform_(-bound, bound);
}

}  // namespace

ConvNorm::ConvNorm(torch::nn::Module& owner, ConvNormNames names, const ConvNormOptions& options,
                   const PrecisionPlan& precision, NormList& norms)
    : names_(std::move(names)) {
  auto conv = options.conv;
  conv.norm = options.norm && !is_frozen(options.norm->kind);
  conv.bias = !options.norm || (options.norm->kind == NormKind::group && options.bias_beside_group);
  conv_ = std::make_unique<QuantConv>(conv, precision, options.position, /*quantize_input=*/true);
  owner.register_module(names_.conv, conv_->module());
  draw(conv_->weight().values(), options.start);
  if (options.norm) norm_ = norms.add(owner, names_.norm, conv.out, *options.norm);
}

FeatureMap ConvNorm::convolve(Ops& ops, const FeatureMap& x) {
  ops.scope(names_.scope);
  return ops.convolution({names_.conv.c_str()}, *conv_, x);
}

FeatureMap ConvNorm::compute(Ops& ops, const FeatureMap& x, size_t level) {
  auto y = convolve(ops, x);
  return norm_ ? ops.norm({names_.norm.c_str()}, norm_->at(level), y) : y;
}

FeatureMap ConvNorm::rectified(Ops& ops, const FeatureMap& x, size_t level) {
  auto y = convolve(ops, x);
  if (!norm_) return relu(ops, std::move(y));
  return ops.normed_activation({names_.norm.c_str()}, norm_->at(level), {names_.relu.c_str()}, Activation(), y);
}

FeatureMap ConvNorm::relu(Ops& ops, FeatureMap&& x) {
  ops.scope(names_.scope);
  return ops.activation({names_.relu.c_str()}, Activation(), std::move(x));
}

}  // namespace auxbench
