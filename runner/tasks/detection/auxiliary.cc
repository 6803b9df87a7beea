#include "runner/tasks/detection/auxiliary.h"

#include <cmath>

#include "base/error.h"
#include "base/torch_prelude.h"
#include "runner/tasks/methods.h"

namespace auxbench {
namespace {

constexpr double kDeviation = 0.01;
constexpr double kFirstProbability = 0.01;

// A 3x3 convolution in `owner`.
std::shared_ptr<torch::nn::Conv2dImpl> add_layer(torch::nn::Module& owner, const char* name, int64_t in, int64_t out,
                                                 double bias) {
  auto layer = owner.register_module(
      name, std::make_shared<torch::nn::Conv2dImpl>(torch::nn::Conv2dOptions(in, out, 3).padding(1)));
  torch::nn::init::normal_(layer->weight, 0, kDeviation);
  torch::nn::init::constant_(layer->bias, bias);
  return layer;
}

class ClassHead final : public LevelHead {
 public:
  ClassHead(const DetectorFacts& facts, int64_t channels)
      : module_(std::make_shared<torch::nn::Module>()),
        layer_(add_layer(*module_, "cls_logits", channels, facts.anchors * facts.classes,
                         -std::log((1 - kFirstProbability) / kFirstProbability))) {}

  void predict(const at::Tensor& map, LevelOutput& level) override { level.classes = layer_->forward(map); }
  [[nodiscard]] std::string name() const override { return "classification_head"; }
  [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const override { return module_; }

 private:
  std::shared_ptr<torch::nn::Module> module_;
  std::shared_ptr<torch::nn::Conv2dImpl> layer_;
};

class BoxHead final : public LevelHead {
 public:
  BoxHead(const DetectorFacts& facts, int64_t channels)
      : module_(std::make_shared<torch::nn::Module>()),
        boxes_(add_layer(*module_, "bbox_reg", channels, 4 * facts.anchors, 0)),
        centreness_(facts.centreness ? add_layer(*module_, "bbox_ctrness", channels, 1, 0) : nullptr) {}

  void predict(const at::Tensor& map, LevelOutput& level) override {
    level.boxes = boxes_->forward(map);
    if (centreness_) level.centreness = centreness_->forward(map);
  }
  [[nodiscard]] std::string name() const override { return "regression_head"; }
  [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const override { return module_; }

 private:
  std::shared_ptr<torch::nn::Module> module_;
  std::shared_ptr<torch::nn::Conv2dImpl> boxes_, centreness_;
};

}  // namespace

LevelHeadMaker detector_heads(const DetectorFacts& facts) {
  return [facts](int64_t channels) {
    return LevelHeads{.classes = std::make_unique<ClassHead>(facts, channels),
                      .boxes = std::make_unique<BoxHead>(facts, channels)};
  };
}

std::unique_ptr<TrainingMethod> make_detection_auxiliary(const CellSpec& cell, const Network& network) {
  const auto& auxi = cell.auxi;
  if (network.detector() == nullptr)
    throw UserError(ExitCode::invalid_suite, "auxi: modules beside prediction heads need a detector");
  if (auxi.norms == "separate")
    throw UserError(ExitCode::invalid_suite, "auxi.norms separate: a detector's modules share its norms");
  const DetectorMethodOptions options = {
      .path = {.kernel = auxi.kernel, .relu = auxi.relu},
      .taps = {.per_layer = auxi.tap == "layer", .after_add = auxi.place == "after-add"},
      .backbone = auxi.where != "heads",
      .heads = auxi.where != "backbone",
      .last_level = auxi.predict == "last",
      .pyramid = auxi.pyramid,
      .weight = auxi.weight,
      .until = auxiliary_until(cell)};
  return make_detector_method(network, options, detector_heads(*network.detector()));
}

}  // namespace auxbench
