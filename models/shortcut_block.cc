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
        ConvOptions{.in = shape.in * branches_, .out = shape.out() * branches_, .groups = branches_}, PrecisionPlan{},
        LayerPlace::inner, false);
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

 private:
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

  [[nodiscard]] at::Tensor together(const at::Tensor& x) const {
    return (by_branch(x) * scales_.view({1, branches_, 1, 1, 1})).sum(1);
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
