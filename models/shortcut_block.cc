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

  FeatureMap compute(Ops& ops, const FeatureMap& x) override {
    if (!grouped()) {
      auto y = branch(ops, x);
      ops.hand_out(Tap::sum, y);
      return y;
    }
    const auto own = ops.branches(branches_, shape_.first, x, [&](const FeatureMap& in) { return branch(ops, in); });
    auto sum = together(ops, own);
    if (ops.wants(Tap::branch)) {
      auto tap = together(ops, last_layer_);
      ops.hand_out(Tap::branch, tap);
    }
    last_layer_ = {};
    ops.hand_out(Tap::sum, sum);
    return shape_.last ? sum : ops.blend({"gates"}, gates_, own, sum);
  }

 private:
  [[nodiscard]] bool grouped() const { return style_.kind == BlockKind::group; }

  FeatureMap branch(Ops& ops, FeatureMap x) {
    for (size_t i = 0; i < layers_.size(); ++i) {
      const bool last = i + 1 == layers_.size();
      auto y = layer(ops, i, x);
      if (last && grouped() && ops.wants(Tap::branch)) {
        y.shared = true;
        last_layer_ = y;
      } else if (last) {
        ops.hand_out(Tap::branch, y);
      }
      x = style_.skip ? ops.add({"sum", i + 1}, std::move(y), i == 0 ? shortcut(ops, x) : x) : y;
      if (!last) hand_out_layer(ops, x);
    }
    return x;
  }

  FeatureMap layer(Ops& ops, size_t i, const FeatureMap& x) {
    auto& [conv, norm] = layers_[i];
    FeatureMap y = x;
    if (!conv->quantizes_input()) y = ops.activation({"activation", i + 1}, Activation(style_.activation), x);
    y = ops.convolution({"conv", i + 1}, *conv, y);
    if (grouped()) y = ops.activation({"relu", i + 1}, Activation(), std::move(y));
    return ops.norm({"bn", i + 1}, norm, y);
  }

  FeatureMap shortcut(Ops& ops, const FeatureMap& x) {
    if (!shortcut_.conv) return x;
    const auto pooled = shape_.stride == 1 ? x : ops.average_pool({"pool"}, x);
    return ops.norm({"downsample.1"}, shortcut_.norm, ops.convolution({"downsample.0"}, *shortcut_.conv, pooled));
  }

  FeatureMap together(Ops& ops, const FeatureMap& x) { return ops.weighted_sum({"scales"}, scales_, x); }

  // Of branches, taps see the weighted sum, whose backward reads their values.
  void hand_out_layer(Ops& ops, FeatureMap& x) {
    if (!grouped()) return ops.hand_out(Tap::layer, x);
    if (!ops.wants(Tap::layer)) return;
    auto sum = together(ops, x);
    ops.hand_out(Tap::layer, sum);
    x.shared = true;
  }

  int64_t branches_;
  FeatureMap last_layer_;  // of a group block during compute(), where its branch is tapped
  at::Tensor scales_, gates_;
};

}  // namespace

std::shared_ptr<Block> make_shortcut_block(const BlockShape& shape, const BlockStyle& style, NormList& norms) {
  return std::make_shared<ShortcutBlock>(shape, style, norms);
}

}  // namespace auxbench
