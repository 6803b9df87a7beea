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
    shortcut_.conv =
        std::make_unique<QuantConv>(ConvOptions{.in = shape.in, .out = shape.out(), .stride = shape.stride},
                                    style.precision, LayerPlace::inner, true);
    register_module("downsample", std::make_shared<torch::nn::Module>())
        ->register_module("0", shortcut_.conv->module());
  }

  Codes forward(const Codes& x, Pass& pass) override {
    auto y = decode(x);
    at::Tensor activated;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (i > 0) pass.tap_layer(y);
      const bool as_it_is = i == 0 && shape_.first;
      const auto input = as_it_is ? y : activate(style_.activation, layers_[i].norm(y, pass.norms));
      if (i == 0) activated = input;
      y = layers_[i].conv->forward(input);
    }
    const auto branch = y;
    if (shortcut_.conv)
      y = y + shortcut_.conv->forward(activated);
    else if (style_.skip)
      y = y + x.codes;
    pass.tap_block(branch, y);
    return {.codes = y};
  }
};

}  // namespace

std::shared_ptr<Block> make_preactivation_block(const BlockShape& shape, const BlockStyle& style, NormList& norms) {
  return std::make_shared<PreactivationBlock>(shape, style, norms);
}

}  // namespace auxbench
