// bireal: a shortcut around every convolution (Liu et al. 2018): y = BN(conv(act(x))) + x, twice. No activation
// follows; the one before the convolution is the sign where it is quantized. Where the shape changes the shortcut is a
// 2x2 average pool, a full-precision 1x1 convolution and a norm.
//
// group (Zhuang et al. 2019, Group-Net): `bases` such blocks G_i side by side, each with weights and norms of its own
// and a ReLU between convolution and norm, here one block of `bases` groups of channels:
//   F(x) = sum_i lambda_i G_i(x_i)
//   the next block's x_i = C_i G_i(x_i) + (1 - C_i) F(x), C_i = sigmoid(gate_i)
// lambda ("scales") starts at 1/bases, gates at 0. Taps see F(x).
#include "models/block.h"

#include "base/check.h"

namespace auxbench {
namespace {

// For a layer that stays at full precision in a network that is quantized.
PrecisionPlan at_full_precision(PrecisionPlan plan) {
  plan.first_last = "float";
  return plan;
}

class ShortcutBlock final : public Block {
 public:
  ShortcutBlock(const BlockShape& shape, const BlockStyle& style, NormList& norms)
      : Block(shape, style), branches_(style.branches()) {
    AUXBENCH_CHECK(!shape.bottleneck, "basic blocks: a shortcut around every convolution keeps its channels");
    for (auto options : main_path()) {
      options.in *= branches_;
      options.out *= branches_;
      options.groups = branches_;
      add_layer(options, norms, options.out);
    }
    if (grouped()) {
      scales_ = register_parameter("scales", at::full({branches_}, 1.0 / static_cast<double>(branches_)));
      if (!shape.last) gates_ = register_parameter("gates", at::zeros({branches_}));
    }
    if (!style.skip || !changes_shape()) return;
    shortcut_.conv = std::make_unique<QuantConv>(
        ConvOptions{.in = shape.in * branches_, .out = shape.out() * branches_, .groups = branches_},
        at_full_precision(style.precision), LayerPosition::first, false);
    auto downsample = register_module("downsample", std::make_shared<torch::nn::Module>());
    downsample->register_module("0", shortcut_.conv->module());
    shortcut_.norm = norms.add(*downsample, "1", shape.out() * branches_);
  }

  Codes forward(const Codes& input, Pass& pass) override {
    auto x = decode(input);
    if (grouped() && shape_.first) x = x.repeat({1, branches_, 1, 1});
    at::Tensor branch;
    for (size_t i = 0; i < layers_.size(); ++i) {
      branch = layer(i, x, pass);
      if (style_.skip)
        x = branch + (i == 0 ? shortcut(x, pass) : x);
      else
        x = branch;
      if (i + 1 < layers_.size()) pass.tap_layer(grouped() ? together(x) : x);
    }
    if (!grouped()) {
      pass.tap_block(branch, x);
      return {.codes = x};
    }
    const auto sum = together(x);
    pass.tap_block(pass.plan != nullptr && !pass.plan->after_add ? together(branch) : branch, sum);
    return {.codes = shape_.last ? sum : gated(x, sum)};
  }

  std::vector<size_t> append_to(Graph& graph, const std::string& prefix, const std::vector<size_t>& inputs) override {
    std::vector<size_t> outputs;
    for (int64_t b = 0; b < branches_; ++b)
      outputs.push_back(append_branch(graph, prefix, inputs[inputs.size() == 1 ? 0 : static_cast<size_t>(b)],
                                      {.index = b, .of = branches_}));
    if (!grouped()) return outputs;
    const auto sum = graph.add({.kind = GraphNode::Kind::weighted_sum,
                                .name = prefix + "scales",
                                .inputs = outputs,
                                .weights = scales_.detach()});
    if (shape_.last) return {sum};
    const at::NoGradGuard no_gradient;
    const auto own = gates_.sigmoid(), rest = 1 - own;
    for (int64_t b = 0; b < branches_; ++b) {
      auto& y = outputs[static_cast<size_t>(b)];
      y = graph.add({.kind = GraphNode::Kind::blend,
                     .name = prefix + "gates" + branch_name(b),
                     .inputs = {y, sum},
                     .weights = at::stack({own[b], rest[b]})});
    }
    return outputs;
  }

 private:
  [[nodiscard]] std::string branch_name(int64_t index) const { return grouped() ? "." + std::to_string(index) : ""; }

  size_t append_branch(Graph& graph, const std::string& prefix, size_t x, Branch branch) {
    using Kind = GraphNode::Kind;
    const auto own = branch_name(branch.index);
    for (size_t i = 0; i < layers_.size(); ++i) {
      const auto number = std::to_string(i + 1) + own;
      size_t y = x;
      if (!layers_[i].conv->quantizes_input())
        y = graph.add({.kind = Kind::activation,
                       .name = prefix + "activation" + number,
                       .inputs = {y},
                       .activation = style_.activation});
      y = append_convolution(graph, prefix + "conv" + number, *layers_[i].conv, y, branch);
      if (grouped())
        y = graph.add(
            {.kind = Kind::activation, .name = prefix + "relu" + number, .inputs = {y}, .activation = "relu"});
      y = append_norm(graph, prefix + "bn" + number, layers_[i].norm, y, branch);
      size_t other = x;
      if (i == 0 && shortcut_.conv) {
        if (shape_.stride != 1)
          other = graph.add({.kind = Kind::average_pool, .name = prefix + "pool" + own, .inputs = {other}});
        other = append_convolution(graph, prefix + "downsample.0" + own, *shortcut_.conv, other, branch);
        other = append_norm(graph, prefix + "downsample.1" + own, shortcut_.norm, other, branch);
      }
      x = style_.skip ? graph.add({.kind = Kind::sum, .name = prefix + "sum" + number, .inputs = {y, other}}) : y;
    }
    return x;
  }

  [[nodiscard]] bool grouped() const { return style_.kind == "group"; }

  at::Tensor layer(size_t i, const at::Tensor& x, Pass& pass) {
    auto& [conv, norm] = layers_[i];
    auto y = conv->forward(conv->quantizes_input() ? x : activate(style_.activation, x));
    if (grouped()) y = y.relu_();
    return norm(y, pass.norms);
  }

  at::Tensor shortcut(const at::Tensor& x, Pass& pass) {
    if (!shortcut_.conv) return x;
    const auto pooled = shape_.stride == 1 ? x
                                           : at::avg_pool2d(x, {2, 2}, {2, 2}, {0, 0}, /*ceil_mode=*/true,
                                                            /*count_include_pad=*/false);
    return shortcut_.norm(shortcut_.conv->forward(pooled), pass.norms);
  }

  [[nodiscard]] at::Tensor by_branch(const at::Tensor& x) const {
    return x.view({x.size(0), branches_, x.size(1) / branches_, x.size(2), x.size(3)});
  }

  // Branch by branch, in order: the sum does not depend on how a reduction is cut.
  [[nodiscard]] at::Tensor together(const at::Tensor& x) const {
    const auto branches = by_branch(x);
    auto sum = branches.select(1, 0) * scales_[0];
    for (int64_t i = 1; i < branches_; ++i) sum = sum + branches.select(1, i) * scales_[i];
    return sum;
  }

  [[nodiscard]] at::Tensor gated(const at::Tensor& x, const at::Tensor& sum) const {
    const auto own = gates_.sigmoid().view({1, branches_, 1, 1, 1});
    return (own * by_branch(x) + (1 - own) * sum.unsqueeze(1)).view(x.sizes());
  }

  int64_t branches_;
  at::Tensor scales_, gates_;
};

}  // namespace

std::shared_ptr<Block> make_shortcut_block(const BlockShape& shape, const BlockStyle& style, NormList& norms) {
  return std::make_shared<ShortcutBlock>(shape, style, norms);
}

}  // namespace auxbench
