// pre-act (He et al. 2016b), as LQ-Nets' networks: BN, act, conv, BN, act, conv, + shortcut.
//
// The shortcut is the block's input, or where the shape changes a quantized 1x1 convolution of the activated input. The
// first block's input comes activated from the stem: it has no first norm. Behind the last block the network puts a
// norm and an activation.
#include "models/block.h"

namespace auxbench {
namespace {

class PreactivationBlock final : public Block {
 public:
  PreactivationBlock(const BlockShape& shape, const BlockStyle& style, NormList& norms) : Block(shape, style) {
    for (const auto& options : main_path()) add_layer(options, norms, options.in);
    if (!style.skip || !changes_shape()) return;
    shortcut_.conv = std::make_unique<QuantConv>(
        ConvOptions{.in = shape.in, .out = shape.out(), .stride = shape.stride, .norm = style.norms_learn},
        style.precision, LayerPosition::inner, true);
    register_module("downsample", std::make_shared<torch::nn::Module>())
        ->register_module("0", shortcut_.conv->module());
  }

  FeatureMap compute(Ops& ops, const FeatureMap& x) override {
    FeatureMap y = x, activated;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (i > 0) ops.hand_out(Tap::layer, y);
      if (i > 0 || !shape_.first)
        y = ops.normed_activation({"bn", i + 1}, layers_[i].norm, {"activation", i + 1}, Activation(style_.activation),
                                  y);
      if (i == 0) activated = y;
      y = ops.convolution({"conv", i + 1}, *layers_[i].conv, y);
    }
    ops.hand_out(Tap::branch, y);
    if (style_.skip)
      y = ops.add({"sum"}, std::move(y),
                  shortcut_.conv ? ops.convolution({"downsample.0"}, *shortcut_.conv, activated) : x);
    ops.hand_out(Tap::sum, y);
    return y;
  }
};

}  // namespace

std::shared_ptr<Block> make_preactivation_block(const BlockShape& shape, const BlockStyle& style, NormList& norms) {
  return std::make_shared<PreactivationBlock>(shape, style, norms);
}

}  // namespace auxbench
