#include "models/detection_heads.h"

#include <cmath>
#include <deque>

#include "base/torch_prelude.h"

namespace auxbench {
namespace {

// Lin et al. 2017: at first every place says with probability 0.01 that there is an object.
constexpr double kPrior = 0.01;

std::shared_ptr<torch::nn::Module> add_holder(torch::nn::Module& owner, const std::string& name) {
  return owner.register_module(name, std::make_shared<torch::nn::Module>());
}

}  // namespace

DetectionHeads::DetectionHeads(torch::nn::Module& owner, const std::string& prefix, const HeadOptions& options,
                               NormList& norms)
    : options_(options) {
  const auto last = [&](torch::nn::Module& branch, const std::string& scope, const std::string& name, int64_t out) {
    return ConvNorm(branch, {.scope = scope, .conv = name, .norm = "", .relu = ""},
                    {.conv = {.in = options.channels, .out = out, .kernel = 3, .padding = 1},
                     .norm = {},
                     .start = WeightStart::normal,
                     .position = LayerPosition::last},
                    options.precision, norms);
  };
  const auto of_classes = prefix + "classification_head.", of_boxes = prefix + "regression_head.";
  const auto classification = add_holder(owner, "classification_head");
  class_tower_ = make_tower(*classification, of_classes, HeadTap::classes, norms);
  classes_.emplace(last(*classification, of_classes, "cls_logits", options.anchors * options.classes));
  const auto regression = add_holder(owner, "regression_head");
  box_tower_ = make_tower(*regression, of_boxes, HeadTap::boxes, norms);
  boxes_.emplace(last(*regression, of_boxes, "bbox_reg", 4 * options.anchors));
  if (options.centreness) centreness_.emplace(last(*regression, of_boxes, "bbox_ctrness", options.anchors));
  const at::NoGradGuard no_gradient;
  classes_->bias().fill_(-std::log((1 - kPrior) / kPrior));
}

DetectionHeads::Tower DetectionHeads::make_tower(torch::nn::Module& branch, const std::string& prefix, HeadTap tap,
                                                 NormList& norms) const {
  Tower tower = {.tap = tap};
  const auto holder = add_holder(branch, "conv");
  if (options_.shared) {
    tower.layers.push_back(make_layers(*holder, prefix + "conv.", norms));
    return tower;
  }
  for (int64_t i = 0; i < options_.levels; ++i) {
    const auto level = "p" + std::to_string(options_.first_level + i);
    tower.layers.push_back(make_layers(*add_holder(*holder, level), prefix + "conv." + level + ".", norms));
  }
  return tower;
}

std::vector<ConvNorm> DetectionHeads::make_layers(torch::nn::Module& holder, const std::string& prefix,
                                                  NormList& norms) const {
  ConvNormOptions layer = {.conv = {.in = options_.channels, .out = options_.channels, .kernel = 3, .padding = 1},
                           .norm = options_.norm,
                           .bias_beside_group = options_.bias_beside_group,
                           .start = WeightStart::normal};
  if (layer.norm) layer.norm->levels = static_cast<size_t>(options_.levels);
  if (layer.norm && !options_.shared) layer.norm->kind = of_one_level(layer.norm->kind);
  std::vector<ConvNorm> layers;
  for (int64_t i = 0; i < options_.tower; ++i) {
    const auto number = std::to_string(i);
    if (options_.flat_names) {
      const auto name = [&](int64_t part) { return std::to_string(3 * i + part); };
      layers.emplace_back(holder, ConvNormNames{prefix, name(0), name(1), name(2)}, layer, options_.precision, norms);
    } else {
      layers.emplace_back(*add_holder(holder, number), ConvNormNames{prefix + number + ".", "0", "1", "2"}, layer,
                          options_.precision, norms);
    }
  }
  return layers;
}

FeatureMap DetectionHeads::compute_tower(Ops& ops, Tower& tower, size_t level, FeatureMap x) const {
  ops.level(options_.shared ? number_of(level) : 0);
  for (auto& layer : tower.layers[options_.shared ? 0 : level]) {
    if (!ops.wants(Tap::head)) {
      x = layer.rectified(ops, x, level);
      continue;
    }
    auto y = layer.compute(ops, x, level);
    ops.hand_out(tower.tap, number_of(level), y);
    x = layer.relu(ops, std::move(y));
  }
  ops.level(number_of(level));  // the last layers are shared in any case
  return x;
}

void DetectionHeads::compute(Ops& ops, const std::vector<FeatureMap>& levels) {
  std::deque<OneEncoding> encodings;
  for (auto* layer : shared_layers()) encodings.emplace_back(*layer);
  for (size_t i = 0; i < levels.size(); ++i) {
    auto x = levels[i];
    ops.hand_out(HeadTap::input, number_of(i), x);
    const auto for_classes = compute_tower(ops, class_tower_, i, x);
    ops.answer(Answer::classes, number_of(i), classes_->compute(ops, for_classes));
    const auto for_boxes = compute_tower(ops, box_tower_, i, x);
    ops.answer(Answer::boxes, number_of(i), boxes_->compute(ops, for_boxes));
    if (centreness_) ops.answer(Answer::centreness, number_of(i), centreness_->compute(ops, for_boxes));
  }
  ops.level(0);
}

void DetectionHeads::append_layers(std::vector<QuantizedWeight*>& layers) {
  for (auto& own : class_tower_.layers)
    for (auto& layer : own) layers.push_back(&layer.weight());
  layers.push_back(&classes_->weight());
  for (auto& own : box_tower_.layers)
    for (auto& layer : own) layers.push_back(&layer.weight());
  layers.push_back(&boxes_->weight());
  if (centreness_) layers.push_back(&centreness_->weight());
}

std::vector<QuantizedWeight*> DetectionHeads::shared_layers() {
  std::vector<QuantizedWeight*> layers;
  if (options_.shared)
    for (auto* tower : {&class_tower_, &box_tower_})
      for (auto& layer : tower->layers.front()) layers.push_back(&layer.weight());
  for (auto* last : {&classes_, &boxes_, &centreness_})
    if (*last) layers.push_back(&(*last)->weight());
  return layers;
}

}  // namespace auxbench
