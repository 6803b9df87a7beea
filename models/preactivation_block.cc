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
                                    style.precision, LayerPosition::inner, true);
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

  std::vector<size_t> append_to(Graph& graph, const std::string& prefix, const std::vector<size_t>& inputs) override {
    const size_t x = inputs.front();
    size_t y = x, activated = x;
    for (size_t i = 0; i < layers_.size(); ++i) {
      const auto number = std::to_string(i + 1);
      if (i > 0 || !shape_.first) {
        y = append_norm(graph, prefix + "bn" + number, layers_[i].norm, y);
        y = graph.add({.kind = GraphNode::Kind::activation,
                       .name = prefix + "activation" + number,
                       .inputs = {y},
                       .activation = style_.activation});
      }
      if (i == 0) activated = y;
      y = append_convolution(graph, prefix + "conv" + number, *layers_[i].conv, y);
    }
    size_t other = x;
    if (shortcut_.conv) other = append_convolution(graph, prefix + "downsample.0", *shortcut_.conv, activated);
    if (!style_.skip) return {y};
    return {graph.add({.kind = GraphNode::Kind::sum, .name = prefix + "sum", .inputs = {y, other}})};
  }
};

}  // namespace

std::shared_ptr<Block> make_preactivation_block(const BlockShape& shape, const BlockStyle& style, NormList& norms) {
  return std::make_shared<PreactivationBlock>(shape, style, norms);
}

}  // namespace auxbench
