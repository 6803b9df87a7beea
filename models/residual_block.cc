// post-act: conv, BN, act, conv, BN, + shortcut, act. The shortcut's 1x1 convolution is quantized like the others.
#include "models/block.h"

namespace auxbench {
namespace {

class ResidualBlock final : public Block {
 public:
  ResidualBlock(const BlockShape& shape, const BlockStyle& style, NormList& norms)
      : Block(shape, style), inner_(style), final_(shape.last ? Activation() : Activation(style)) {
    for (const auto& options : main_path()) add_layer(options, norms, options.out);
    inner_.register_in(*this, "inner_activation");
    final_.register_in(*this, "final_activation");
    if (!style.skip || !changes_shape()) return;
    shortcut_.conv =
        std::make_unique<QuantConv>(ConvOptions{.in = shape.in, .out = shape.out(), .stride = shape.stride},
                                    style.precision, LayerPosition::inner, !style.at_output);
    auto downsample = register_module("downsample", std::make_shared<torch::nn::Module>());
    downsample->register_module("0", shortcut_.conv->module());
    shortcut_.norm = norms.add(*downsample, "1", shape.out());
  }

  Codes forward(const Codes& x, Pass& pass) override {
    at::Tensor y;
    Codes input = x;
    for (size_t i = 0; i < layers_.size(); ++i) {
      y = layers_[i].norm(layers_[i].conv->forward(input), pass.norms);
      if (i + 1 == layers_.size()) break;
      pass.tap_layer(y);
      input = inner_.forward(y, is_training());
    }
    const auto branch = y;
    if (shortcut_.conv)
      y = y + shortcut_.norm(shortcut_.conv->forward(x), pass.norms);
    else if (style_.skip)
      y = y + decode(x);
    pass.tap_block(branch, y);
    return final_.forward(y, is_training());
  }

  std::vector<size_t> append_to(Graph& graph, const std::string& prefix, const std::vector<size_t>& inputs) override {
    const size_t x = inputs.front();
    size_t y = x;
    for (size_t i = 0; i < layers_.size(); ++i) {
      const auto number = std::to_string(i + 1);
      y = append_convolution(graph, prefix + "conv" + number, *layers_[i].conv, y);
      y = append_norm(graph, prefix + "bn" + number, layers_[i].norm, y);
      if (i + 1 < layers_.size()) y = inner_.append_to(graph, prefix + "activation" + number, y);
    }
    size_t other = x;
    if (shortcut_.conv) {
      other = append_convolution(graph, prefix + "downsample.0", *shortcut_.conv, x);
      other = append_norm(graph, prefix + "downsample.1", shortcut_.norm, other);
    }
    if (style_.skip) y = graph.add({.kind = GraphNode::Kind::sum, .name = prefix + "sum", .inputs = {y, other}});
    return {final_.append_to(graph, prefix + "activation", y)};
  }

  void bypass(bool on) override {
    Block::bypass(on);
    inner_.bypass(on);
    final_.bypass(on);
  }

 private:
  Activation inner_, final_;
};

}  // namespace

std::shared_ptr<Block> make_residual_block(const BlockShape& shape, const BlockStyle& style, NormList& norms) {
  return std::make_shared<ResidualBlock>(shape, style, norms);
}

}  // namespace auxbench
