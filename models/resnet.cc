// ResNet-18/34/50/101 (He et al. 2016); models/network.h says what they are made of.
#include <cmath>

#include "base/check.h"
#include "base/torch_prelude.h"
#include "models/block.h"
#include "models/graph_ops.h"
#include "models/list/models.h"
#include "models/network.h"
#include "models/norm.h"
#include "models/tensor_ops.h"

namespace auxbench {
namespace {

const ModelFacts& depth_of(const std::string& model) {
  const auto* depth = find_model(model);
  AUXBENCH_CHECK(depth != nullptr && depth->exists, "a ResNet that exists, not " + model);
  return *depth;
}

// On the CPU maps lie N H W C, which the networks' convolutions, small ones above all, are fastest in; operators follow
// the layout of their input. With one channel both layouts are the same numbers, and only strides tell them apart.
at::Tensor in_layout_of_maps(const at::Tensor& images) {
  if (!images.is_cpu() || images.dim() != 4 || images.requires_grad()) return images;
  return at::empty(images.sizes(), images.options().memory_format(at::MemoryFormat::ChannelsLast)).copy_(images);
}

class ResNet final : public Network, public torch::nn::Module {
 public:
  explicit ResNet(const NetworkOptions& options)
      : style_(BlockStyle::of(options)),
        large_stem_(options.stem == "imagenet"),
        base_(std::max<int64_t>(1, std::llround(64 * options.width))),
        norms_({.kind = options.frozen_norms ? NormKind::frozen : NormKind::batch}) {
    AUXBENCH_CHECK(large_stem_ || options.stem == "small", "a stem that exists, not " + options.stem);
    build_stem(options);
    build_stages(depth_of(options.model));
    fc_ = std::make_unique<QuantLinear>(channels_, options.classes, options.precision);
    register_module("fc", fc_->module());
  }

  NetworkOutput forward(const at::Tensor& images, const TapPlan* taps, NormBank* norms) override {
    TensorOps ops(is_training(), taps, norms);
    if (watcher_) ops.watch(&watcher_);
    auto logits = compute(ops, {.tensor = {.codes = in_layout_of_maps(images)}});
    ops.output().logits = std::move(logits.tensor.codes);
    return std::move(ops.output());
  }

  Graph graph() override {
    GraphOps ops;
    const auto logits = compute(ops, ops.image());
    ops.graph().outputs = {{"logits", logits.nodes.front()}};
    return std::move(ops.graph());
  }

  torch::nn::Module& module() override { return *this; }

  [[nodiscard]] std::vector<TapShape> tap_shapes(const TapPlan& taps) const override {
    std::vector<TapShape> shapes;
    int64_t stride = 1;
    for (const auto& [name, block] : blocks_) block->append_tap_shapes(taps, stride, shapes);
    return shapes;
  }

  [[nodiscard]] int64_t blocks() const override { return static_cast<int64_t>(blocks_.size()); }

  std::vector<QuantizedWeight*> quantized_layers() override {
    std::vector<QuantizedWeight*> layers = {&conv_->weight()};
    for (const auto& [name, block] : blocks_) block->append_layers(layers);
    layers.push_back(&fc_->weight());
    std::erase_if(layers, [](const auto* layer) { return layer->full_precision(); });
    return layers;
  }

  void bypass(const std::vector<bool>& blocks) override {
    for (size_t i = 0; i < blocks_.size(); ++i) blocks_[i].block->bypass(!blocks.empty() && blocks[i]);
  }

  void watch_quantizers(QuantizerWatcher watcher) override { watcher_ = std::move(watcher); }

  [[nodiscard]] int64_t stem_channels() const override { return base_; }
  [[nodiscard]] std::shared_ptr<NormBank> make_norms() const override { return norms_.make_bank(); }

 private:
  // From images to logits.
  FeatureMap compute(Ops& ops, FeatureMap x) {
    x = ops.convolution({"conv1"}, *conv_, x);
    x = ops.norm({"bn1"}, norm_, x);
    // max-pool and activation commute; pooling first gives H the map the author's code gives it.
    if (large_stem_) x = ops.max_pool({"maxpool"}, x);
    ops.hand_out(Tap::stem, x);
    if (!style_.activates_input()) x = ops.activation({"stem_activation"}, stem_activation_, std::move(x));
    for (auto& [name, block] : blocks_) {
      ops.scope(name + ".");
      x = block->compute(ops, x);
    }
    ops.scope("");
    if (style_.kind == BlockKind::pre_act)
      x = ops.normed_activation({"bn_last"}, last_norm_, {"last_activation"}, Activation(style_.activation), x);
    x = ops.mean({"mean"}, x, fc_->weight().sums_exactly());
    return ops.linear({"fc"}, *fc_, x);
  }

  void build_stem(const NetworkOptions& options) {
    conv_ = std::make_unique<QuantConv>(ConvOptions{.in = options.in_channels,
                                                    .out = base_,
                                                    .kernel = large_stem_ ? 7 : 3,
                                                    .stride = large_stem_ ? 2 : options.stem_stride,
                                                    .padding = large_stem_ ? 3 : 1},
                                        options.precision, LayerPosition::first, true);
    register_module("conv1", conv_->module());
    norm_ = norms_.add(*this, "bn1", base_);
    stem_activation_ = style_.make_activation();
    stem_activation_.register_in(*this, "stem_activation");
    channels_ = base_;
  }

  void build_stages(const ModelFacts& depth) {
    for (size_t stage = 0; stage < depth.blocks.size(); ++stage) {
      auto holder = register_module("layer" + std::to_string(stage + 1), std::make_shared<torch::nn::Module>());
      for (int i = 0; i < depth.blocks[stage]; ++i) {
        const bool last = stage + 1 == depth.blocks.size() && i + 1 == depth.blocks[stage];
        const BlockShape shape = {.in = channels_,
                                  .width = base_ << stage,
                                  .stride = i == 0 && stage > 0 ? 2 : 1,
                                  .bottleneck = depth.bottleneck,
                                  .first = blocks_.empty(),
                                  .last = last};
        auto block = make_block(shape, style_, norms_);
        holder->register_module(std::to_string(i), block);
        channels_ = shape.out();
        blocks_.push_back({"layer" + std::to_string(stage + 1) + "." + std::to_string(i), std::move(block)});
      }
    }
    if (style_.kind == BlockKind::pre_act) last_norm_ = norms_.add(*this, "bn_last", channels_);
  }

  struct NamedBlock {
    std::string name;
    std::shared_ptr<Block> block;
  };

  BlockStyle style_;
  bool large_stem_;
  int64_t base_;
  int64_t channels_ = 0;
  NormList norms_;
  std::unique_ptr<QuantConv> conv_;
  Norm norm_;
  Activation stem_activation_;
  std::vector<NamedBlock> blocks_;
  Norm last_norm_;  // pre-act only
  std::unique_ptr<QuantLinear> fc_;
  QuantizerWatcher watcher_;  // empty: nobody watches
};

}  // namespace

bool network_exists(const std::string& model) {
  const auto* facts = find_model(model);
  return facts != nullptr && facts->exists;
}

std::unique_ptr<Network> make_network(const NetworkOptions& options) { return std::make_unique<ResNet>(options); }

}  // namespace auxbench
