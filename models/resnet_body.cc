#include "models/resnet_body.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "models/list/models.h"

namespace auxbench {
namespace {

const ModelFacts& depth_of(const std::string& model) {
  const auto* depth = find_model(model);
  AUXBENCH_CHECK(depth != nullptr && depth->exists, "a ResNet that exists, not " + model);
  return *depth;
}

}  // namespace

ResNetBody::ResNetBody(torch::nn::Module& owner, const NetworkOptions& options, NormList& norms)
    : style_(BlockStyle::of(options)),
      large_stem_(options.stem == "imagenet"),
      base_(std::max<int64_t>(1, std::llround(64 * options.width))) {
  AUXBENCH_CHECK(large_stem_ || options.stem == "small", "a stem that exists, not " + options.stem);
  build_stem(owner, options, norms);
  build_stages(owner, depth_of(options.model), norms);
}

FeatureMap ResNetBody::compute(Ops& ops, const std::string& prefix, FeatureMap x, StageMaps* stages) {
  ops.scope(prefix);
  x = ops.convolution({"conv1"}, *conv_, x);
  x = ops.norm({"bn1"}, norm_, x);
  // max-pool and activation commute; pooling first gives H the map the author's code gives it.
  if (large_stem_) x = ops.max_pool({"maxpool"}, x);
  ops.hand_out(Tap::stem, x);
  if (!style_.activates_input()) x = ops.activation({"stem_activation"}, stem_activation_, std::move(x));
  for (auto& [name, block, stage] : blocks_) {
    ops.scope(prefix + name + ".");
    x = block->compute(ops, x);
    if (stages != nullptr) (*stages)[stage] = x;
  }
  ops.scope(prefix);
  if (style_.kind == BlockKind::pre_act)
    x = ops.normed_activation({"bn_last"}, last_norm_, {"last_activation"}, Activation(style_.activation), x);
  return x;
}

void ResNetBody::append_layers(std::vector<QuantizedWeight*>& layers) {
  layers.push_back(&conv_->weight());
  for (const auto& named : blocks_) named.block->append_layers(layers);
}

void ResNetBody::bypass(const std::vector<bool>& blocks) {
  for (size_t i = 0; i < blocks_.size(); ++i) blocks_[i].block->bypass(!blocks.empty() && blocks[i]);
}

std::vector<TapShape> ResNetBody::tap_shapes(const TapPlan& taps) const {
  std::vector<TapShape> shapes;
  int64_t stride = 1;
  for (const auto& named : blocks_) named.block->append_tap_shapes(taps, stride, shapes);
  return shapes;
}

void ResNetBody::build_stem(torch::nn::Module& owner, const NetworkOptions& options, NormList& norms) {
  conv_ = std::make_unique<QuantConv>(ConvOptions{.in = options.in_channels,
                                                  .out = base_,
                                                  .kernel = large_stem_ ? 7 : 3,
                                                  .stride = large_stem_ ? 2 : options.stem_stride,
                                                  .padding = large_stem_ ? 3 : 1,
                                                  .norm = style_.norms_learn},
                                      options.precision, LayerPosition::first, true);
  owner.register_module("conv1", conv_->module());
  norm_ = norms.add(owner, "bn1", base_);
  stem_activation_ = style_.make_activation();
  stem_activation_.register_in(owner, "stem_activation");
  channels_ = base_;
}

void ResNetBody::build_stages(torch::nn::Module& owner, const ModelFacts& depth, NormList& norms) {
  for (size_t stage = 0; stage < depth.blocks.size(); ++stage) {
    const auto name = "layer" + std::to_string(stage + 1);
    auto holder = owner.register_module(name, std::make_shared<torch::nn::Module>());
    for (int i = 0; i < depth.blocks[stage]; ++i) {
      const bool last = stage + 1 == depth.blocks.size() && i + 1 == depth.blocks[stage];
      const BlockShape shape = {.in = channels_,
                                .width = base_ << stage,
                                .stride = i == 0 && stage > 0 ? 2 : 1,
                                .bottleneck = depth.bottleneck,
                                .first = blocks_.empty(),
                                .last = last};
      auto block = make_block(shape, style_, norms);
      holder->register_module(std::to_string(i), block);
      channels_ = shape.out();
      blocks_.push_back({name + "." + std::to_string(i), std::move(block), stage});
    }
    stage_channels_[stage] = channels_;
  }
  if (style_.kind == BlockKind::pre_act) last_norm_ = norms.add(owner, "bn_last", channels_);
}

}  // namespace auxbench
