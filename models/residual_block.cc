// post-act: conv, BN, act, conv, BN, + shortcut, act. The shortcut's 1x1 convolution is quantized like the others.
#include "models/block.h"

namespace auxbench {
namespace {

class ResidualBlock final : public Block {
 public:
  ResidualBlock(const BlockShape& shape, const BlockStyle& style, NormList& norms)
      : Block(shape, style), final_(shape.last ? Activation() : style.make_activation()) {
    for (const auto& options : main_path()) add_layer(options, norms, options.out);
    for (size_t i = 0; i + 1 < layers_.size(); ++i) {
      inner_.push_back(style.make_activation());
      inner_.back().register_in(*this, "inner" + (i == 0 ? "" : std::to_string(i + 1)) + "_activation");
    }
    final_.register_in(*this, "final_activation");
    if (!style.skip || !changes_shape()) return;
    shortcut_.conv = std::make_unique<QuantConv>(
        ConvOptions{.in = shape.in, .out = shape.out(), .stride = shape.stride, .norm = style.norms_learn},
        style.precision, LayerPosition::inner, !style.at_output);
    auto downsample = register_module("downsample", std::make_shared<torch::nn::Module>());
    downsample->register_module("0", shortcut_.conv->module());
    shortcut_.norm = norms.add(*downsample, "1", shape.out());
  }

  FeatureMap compute(Ops& ops, const FeatureMap& x) override {
    FeatureMap y = x;
    for (size_t i = 0; i < layers_.size(); ++i) {
      y = ops.convolution({"conv", i + 1}, *layers_[i].conv, y);
      const bool inner = i + 1 < layers_.size();
      if (inner && !ops.wants(Tap::layer)) {
        y = ops.normed_activation({"bn", i + 1}, layers_[i].norm, {"activation", i + 1}, inner_[i], y);
        continue;
      }
      y = ops.norm({"bn", i + 1}, layers_[i].norm, y);
      if (!inner) break;
      ops.hand_out(Tap::layer, y);
      y = ops.activation({"activation", i + 1}, inner_[i], std::move(y));
    }
    ops.hand_out(Tap::branch, y);
    if (style_.skip) y = ops.add({"sum"}, std::move(y), shortcut(ops, x));
    ops.hand_out(Tap::sum, y);
    return ops.activation({"activation"}, final_, std::move(y));
  }

  void bypass(bool on) override {
    Block::bypass(on);
    for (auto& activation : inner_) activation.bypass(on);
    final_.bypass(on);
  }

 private:
  FeatureMap shortcut(Ops& ops, const FeatureMap& x) {
    if (!shortcut_.conv) return x;
    return ops.norm({"downsample.1"}, shortcut_.norm, ops.convolution({"downsample.0"}, *shortcut_.conv, x));
  }

  std::vector<Activation> inner_;  // behind each convolution but the last, each with a quantizer of its own
  Activation final_;
};

}  // namespace

std::shared_ptr<Block> make_residual_block(const BlockShape& shape, const BlockStyle& style, NormList& norms) {
  return std::make_shared<ResidualBlock>(shape, style, norms);
}

}  // namespace auxbench
