#include "models/resnet_block.h"

namespace auxbench {

BlockStyle BlockStyle::of(const NetworkOptions& options) {
  return {.skip = options.skip,
          .relu6 = options.activation == "relu6",
          .at_output = options.precision.quantizes() && options.quantize_at == "block-output",
          .precision = options.precision};
}

Activation::Activation(const BlockStyle& style) : relu6_(style.relu6) {
  if (style.at_output)
    quantizer_ = make_quantizer(style.precision.quantizer, Role::activation, style.precision.activation_bits);
}

at::Tensor Activation::forward(const at::Tensor& x) const {
  if (quantizer_) return quantizer_->quantize(x);
  return relu6_ ? at::relu6(x) : at::relu(x);
}

ResidualBlock::ResidualBlock(const BlockShape& shape, const BlockStyle& style, NormList& norms)
    : style_(style), inner_(style), final_(shape.last ? Activation::plain() : Activation(style)) {
  const ConvOptions three = {.in = shape.in, .out = shape.width, .kernel = 3, .stride = shape.stride, .padding = 1};
  if (shape.bottleneck) {
    add_layer({.in = shape.in, .out = shape.width}, norms);
    add_layer({.in = shape.width, .out = shape.width, .kernel = 3, .stride = shape.stride, .padding = 1}, norms);
    add_layer({.in = shape.width, .out = shape.out()}, norms);
  } else {
    add_layer(three, norms);
    add_layer({.in = shape.width, .out = shape.width, .kernel = 3, .padding = 1}, norms);
  }
  if (!style.skip || (shape.stride == 1 && shape.in == shape.out())) return;
  shortcut_.conv = std::make_unique<QuantConv>(ConvOptions{.in = shape.in, .out = shape.out(), .stride = shape.stride},
                                               style.precision, LayerPlace::inner, !style.at_output);
  auto downsample = register_module("downsample", std::make_shared<torch::nn::Module>());
  downsample->register_module("0", shortcut_.conv->module());
  shortcut_.norm = norms.add(*downsample, "1", shape.out());
}

void ResidualBlock::add_layer(const ConvOptions& options, NormList& norms) {
  const auto number = std::to_string(layers_.size() + 1);
  auto conv = std::make_unique<QuantConv>(options, style_.precision, LayerPlace::inner, !style_.at_output);
  register_module("conv" + number, conv->module());
  layers_.push_back({.conv = std::move(conv), .norm = norms.add(*this, "bn" + number, options.out)});
}

at::Tensor ResidualBlock::forward(const at::Tensor& x, const TapPlan* plan, NormBank* bank,
                                  std::vector<at::Tensor>& taps) {
  auto y = x;
  for (size_t i = 0; i < layers_.size(); ++i) {
    y = layers_[i].norm(layers_[i].conv->forward(y), bank);
    if (i + 1 == layers_.size()) break;
    if (plan != nullptr && plan->per_layer) taps.push_back(y);
    y = inner_.forward(y);
  }
  const auto branch = y;
  if (shortcut_.conv)
    y = y + shortcut_.norm(shortcut_.conv->forward(x), bank);
  else if (style_.skip)
    y = y + x;
  if (plan != nullptr) taps.push_back(plan->after_add ? y : branch);
  return final_.forward(y);
}

void ResidualBlock::append_tap_shapes(const TapPlan& plan, int64_t& stride, std::vector<TapShape>& shapes) const {
  for (size_t i = 0; i < layers_.size(); ++i) {
    stride *= layers_[i].conv->options().stride;
    if (plan.per_layer || i + 1 == layers_.size())
      shapes.push_back({.channels = layers_[i].conv->options().out, .stride = stride});
  }
}

}  // namespace auxbench
