#include "models/pyramid.h"

#include "base/torch_prelude.h"

namespace auxbench {

Pyramid::Pyramid(torch::nn::Module& owner, const std::string& prefix, const std::array<int64_t, 4>& stage_channels,
                 const PyramidOptions& options, NormList& norms)
    : prefix_(prefix), relu_(options.relu), p6_from_c5_(options.p6_from_c5) {
  const auto holder = [](torch::nn::Module& parent, const std::string& name) {
    return parent.register_module(name, std::make_shared<torch::nn::Module>());
  };
  const auto add = [&](torch::nn::Module& parent, const ConvNormNames& names, const ConvOptions& conv,
                       std::vector<ConvNorm>& layers) {
    layers.emplace_back(parent, names, ConvNormOptions{.conv = conv, .norm = options.norm}, options.precision, norms);
  };
  const int64_t channels = options.channels;
  const auto inner = holder(owner, "inner_blocks"), layer = holder(owner, "layer_blocks");
  for (size_t i = 0; i < kMerged; ++i) {
    const auto number = std::to_string(i);
    add(*holder(*inner, number), {prefix + "inner_blocks." + number + ".", "0", "1", "relu"},
        {.in = stage_channels[i + 1], .out = channels}, inner_);
    add(*holder(*layer, number), {prefix + "layer_blocks." + number + ".", "0", "1", "relu"},
        {.in = channels, .out = channels, .kernel = 3, .padding = 1}, layer_);
  }
  const auto extra = holder(owner, "extra_blocks");
  for (const std::string name : {"p6", "p7"})
    add(*extra, {prefix + "extra_blocks.", name, name + "_norm", name + "_relu"},
        {.in = extra_.empty() && options.p6_from_c5 ? stage_channels.back() : channels,
         .out = channels,
         .kernel = 3,
         .stride = 2,
         .padding = 1},
        extra_);
}

FeatureMap Pyramid::merge(Ops& ops, size_t i, const FeatureMap& above, const FeatureMap& stage) {
  if (i + 1 == kMerged) return relu_ ? inner_[i].rectified(ops, stage) : inner_[i].compute(ops, stage);
  // The map from above first: an integer engine adds it where the convolution ends.
  ops.scope(prefix_);
  auto from_above = ops.upsample({"upsample", i + 1}, above, stage);
  const auto own = inner_[i].compute(ops, stage);
  ops.scope(prefix_);
  auto sum = ops.add({"sum", i + 1}, std::move(from_above), own);
  return relu_ ? inner_[i].relu(ops, std::move(sum)) : sum;
}

std::vector<FeatureMap> Pyramid::compute(Ops& ops, const StageMaps& stages) {
  std::vector<FeatureMap> levels(kLevels);
  FeatureMap merged;
  for (size_t i = kMerged; i-- > 0;) {
    merged = merge(ops, i, merged, stages[i + 1]);
    levels[i] = relu_ ? layer_[i].rectified(ops, merged) : layer_[i].compute(ops, merged);
  }
  const auto& below = p6_from_c5_ ? stages.back() : levels[kMerged - 1];
  auto& p6 = levels[kMerged];
  auto& p7 = levels[kMerged + 1];
  if (relu_) {
    p6 = extra_[0].rectified(ops, below);
    p7 = extra_[1].rectified(ops, p6);
    return levels;
  }
  p6 = extra_[0].compute(ops, below);
  auto kept = p6;
  kept.shared = true;
  p7 = extra_[1].compute(ops, extra_[0].relu(ops, std::move(kept)));
  return levels;
}

void Pyramid::append_layers(std::vector<QuantizedWeight*>& layers) {
  for (size_t i = kMerged; i-- > 0;)
    for (auto* part : {&inner_[i], &layer_[i]}) layers.push_back(&part->weight());
  for (auto& part : extra_) layers.push_back(&part.weight());
}

}  // namespace auxbench
