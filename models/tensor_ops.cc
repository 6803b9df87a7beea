#include "models/tensor_ops.h"

#include <utility>

#include "base/torch_prelude.h"

namespace auxbench {
namespace {

FeatureMap map_of(at::Tensor values) { return {.tensor = {.codes = std::move(values)}}; }

// [N, branches, C, H, W]
at::Tensor by_branch(const at::Tensor& x, int64_t branches) {
  return x.view({x.size(0), branches, x.size(1) / branches, x.size(2), x.size(3)});
}

}  // namespace

// With one channel both layouts are the same numbers, and only strides tell them apart.
FeatureMap image_map(const at::Tensor& images) {
  if (!images.is_cpu() || images.dim() != 4 || images.requires_grad()) return map_of(images);
  return map_of(
      at::empty(images.sizes(), images.options().memory_format(at::MemoryFormat::ChannelsLast)).copy_(images));
}

void TensorOps::show(Quantizer* quantizer, const FeatureMap& x) const {
  if (watcher_ != nullptr && quantizer != nullptr) (*watcher_)(*quantizer, decode(x.tensor));
}

FeatureMap TensorOps::convolution(LayerName /*name*/, QuantConv& conv, const FeatureMap& x) {
  if (conv.quantizes_input()) show(conv.weight().input_quantizer(), x);
  auto y = map_of(conv.forward(x.tensor));
  y.shared = conv.weight().watched();
  return y;
}

FeatureMap TensorOps::norm(LayerName /*name*/, const Norm& norm, const FeatureMap& x) {
  return map_of(norm(decode(x.tensor), norms_));
}

FeatureMap TensorOps::activation(LayerName /*name*/, const Activation& activation, const FeatureMap& x) {
  if (activation.quantizes()) {
    show(activation.quantizer(), x);
    return {.tensor =
                activation.quantizer()->encode(decode(x.tensor), training_ ? Phase::training : Phase::evaluation)};
  }
  return map_of(activate(activation.function(), decode(x.tensor)));
}

// In place: what makes maps here (convolution, norm, sum, pool) keeps its inputs for backward and not its output.
FeatureMap TensorOps::activation(LayerName name, const Activation& activation, FeatureMap&& x) {
  if (x.shared || activation.quantizes()) return this->activation(name, activation, std::as_const(x));
  return map_of(activate_in_place(activation.function(), decode(x.tensor)));
}

FeatureMap TensorOps::normed_activation(LayerName norm_name, const Norm& norm, LayerName name,
                                        const Activation& activation, const FeatureMap& x) {
  if (activation.quantizes() || activation.function() != ActivationFunction::relu)
    return Ops::normed_activation(norm_name, norm, name, activation, x);
  return map_of(norm(decode(x.tensor), norms_, {.relu = true}));
}

FeatureMap TensorOps::add(LayerName /*name*/, FeatureMap&& y, const FeatureMap& x) {
  auto sum = decode(y.tensor);
  return map_of(y.shared ? sum + decode(x.tensor) : sum.add_(decode(x.tensor)));
}

FeatureMap TensorOps::max_pool(LayerName /*name*/, const FeatureMap& x) {
  return map_of(at::max_pool2d(decode(x.tensor), {3, 3}, {2, 2}, {1, 1}));
}

FeatureMap TensorOps::average_pool(LayerName /*name*/, const FeatureMap& x) {
  return map_of(at::avg_pool2d(decode(x.tensor), {2, 2}, {2, 2}, {0, 0}, /*ceil_mode=*/true,
                               /*count_include_pad=*/false));
}

FeatureMap TensorOps::upsample(LayerName /*name*/, const FeatureMap& x, const FeatureMap& like) {
  const auto& size = like.tensor.codes;
  return map_of(at::upsample_nearest2d(decode(x.tensor), {size.size(2), size.size(3)}));
}

FeatureMap TensorOps::mean(LayerName /*name*/, const FeatureMap& x, bool in_double) {
  const auto values = decode(x.tensor);
  if (!in_double) return map_of(values.mean({2, 3}));
  return map_of(values.to(at::kDouble).mean({2, 3}).to(values.scalar_type()));
}

FeatureMap TensorOps::linear(LayerName /*name*/, QuantLinear& layer, const FeatureMap& x) {
  if (layer.weight().quantizes_input()) show(layer.weight().input_quantizer(), x);
  return map_of(layer.forward(decode(x.tensor)));
}

// All at once, as groups of channels.
FeatureMap TensorOps::branches(int64_t count, bool same_input, const FeatureMap& x,
                               const std::function<FeatureMap(const FeatureMap&)>& branch) {
  if (!same_input) return branch(x);
  return branch(map_of(decode(x.tensor).repeat({1, count, 1, 1})));
}

// Branch by branch, in order: the sum does not depend on how a reduction is cut.
FeatureMap TensorOps::weighted_sum(LayerName /*name*/, const at::Tensor& weights, const FeatureMap& x) {
  const auto parts = by_branch(x.tensor.codes, weights.size(0));
  auto sum = parts.select(1, 0) * weights[0];
  for (int64_t i = 1; i < weights.size(0); ++i) sum = sum + parts.select(1, i) * weights[i];
  return map_of(sum);
}

FeatureMap TensorOps::blend(LayerName /*name*/, const at::Tensor& gates, const FeatureMap& x, const FeatureMap& y) {
  const auto& own = x.tensor.codes;
  const auto share = gates.sigmoid().view({1, gates.size(0), 1, 1, 1});
  return map_of(
      (share * by_branch(own, gates.size(0)) + (1 - share) * y.tensor.codes.unsqueeze(1)).reshape(own.sizes()));
}

void TensorOps::answer(Answer answer, int64_t level, const FeatureMap& x) {
  const auto& values = x.tensor.codes;
  if (answer == Answer::logits) {
    output_.logits = values;
    return;
  }
  if (output_.levels.empty() || output_.levels.back().level != level) output_.levels.push_back({.level = level});
  auto& own = output_.levels.back();
  (answer == Answer::classes ? own.classes : answer == Answer::boxes ? own.boxes : own.centreness) = values;
}

bool TensorOps::wants(Tap tap) const {
  if (plan_ == nullptr) return false;
  switch (tap) {
    case Tap::layer:
      return plan_->per_layer;
    case Tap::branch:
      return !plan_->after_add;
    case Tap::stem:
    case Tap::sum:
    case Tap::head:
      break;
  }
  return true;
}

void TensorOps::hand_out(Tap tap, FeatureMap& x) {
  if (!wants(tap)) return;
  x.shared = true;
  const auto& values = x.tensor.codes;
  if (tap == Tap::stem) {
    output_.stem = values;
    return;
  }
  if (tap != Tap::sum || plan_->after_add) output_.taps.push_back(values);
  if (tap == Tap::sum) output_.blocks.push_back(values);
}

void TensorOps::hand_out(HeadTap tap, int64_t level, FeatureMap& x) {
  if (!wants(Tap::head)) return;
  x.shared = true;
  const auto& values = x.tensor.codes;
  if (tap == HeadTap::input) {
    output_.heads.push_back({.level = level, .input = values});
    return;
  }
  auto& own = output_.heads.back();
  (tap == HeadTap::classes ? own.classes : own.boxes).push_back(values);
}

}  // namespace auxbench
