#include "runner/tasks/detection/detection_losses.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "base/torch_prelude.h"
#include "runner/tasks/detection/box_losses.h"
#include "runner/tasks/detection/class_loss.h"
#include "runner/tasks/detection/detection_targets.h"

namespace auxbench {
namespace {

class Average : public torch::nn::Module {
 public:
  explicit Average(double first) { value_ = register_buffer("normaliser", at::full({}, first, at::kDouble)); }
  double moved(double momentum, double now) {
    const at::NoGradGuard no_gradient;
    value_.mul_(momentum).add_((1 - momentum) * now);
    return value_.item<double>();
  }

 private:
  at::Tensor value_;
};

class DetectionLosses final : public TaskLosses {
 public:
  DetectionLosses(const DetectorRules& rules, int64_t classes) : rules_(rules), classes_(classes) {
    if (rules.loss.normaliser == Normaliser::moving_average)
      average_ = std::make_shared<Average>(rules.loss.first_average);
  }

  void begin_step(const TensorBatch& batch) override {
    const Extent padded = {.height = batch.images.size(2), .width = batch.images.size(3)};
    targets_ = assign_targets(rules_, classes_, padded, batch.targets);
    weights_ = image_weights();
  }

  NamedLosses losses(const NetworkOutput& output, const Targets&) override {
    AUXBENCH_CHECK(!weights_.empty(), "a step that has begun");
    AUXBENCH_CHECK(!output.levels.empty(), "levels of a detector");
    at::Tensor of_classes, of_boxes, of_centreness;
    const auto add = [](at::Tensor& sum, const at::Tensor& more) { sum = sum.defined() ? sum + more : more; };
    for (const auto& level : output.levels) {
      const auto& wanted = targets_.level(level.level);
      check(level, wanted);
      const Places at_device(wanted, level.classes);
      add(of_classes, class_loss(level.classes, wanted.labels, classes_, weights_, rules_.loss));
      add(of_boxes, box_loss(level, at_device));
      if (level.centreness.defined()) add(of_centreness, centreness_loss(level, at_device));
    }
    NamedLosses all = {{.name = "loss_class", .value = of_classes}, {.name = "loss_box", .value = of_boxes}};
    if (of_centreness.defined()) all.push_back({.name = "loss_centreness", .value = of_centreness});
    return all;
  }

  torch::nn::Module* module() override { return average_.get(); }

 private:
  // A level's targets where an output is, in its type.
  struct Places {
    Places(const LevelTargets& targets, const at::Tensor& like)
        : wanted(targets),
          image(targets.image.to(like.device())),
          anchor(targets.anchor.to(like.device())),
          place(targets.place.to(like.device())),
          numbers(like.options().requires_grad(false)) {}
    [[nodiscard]] at::Tensor real(const at::Tensor& tensor) const { return tensor.to(numbers); }

    const LevelTargets& wanted;
    at::Tensor image, anchor, place;
    at::TensorOptions numbers;
  };

  // What each image's sums are multiplied by.
  std::vector<double> image_weights() {
    const auto& positives = targets_.positives;
    const auto images = static_cast<double>(positives.size());
    const auto all = static_cast<double>(std::accumulate(positives.begin(), positives.end(), int64_t{0}));
    std::vector<double> weights;
    const auto& rules = rules_.loss;
    if (rules.normaliser == Normaliser::image) {
      for (const auto found : positives) weights.push_back(1 / (images * std::max(1.0, static_cast<double>(found))));
    } else {
      const double divisor =
          average_ ? average_->moved(rules.average_momentum, std::max(1.0, all)) : std::max(1.0, all);
      weights.assign(positives.size(), 1 / divisor);
    }
    return weights;
  }

  [[nodiscard]] at::Tensor weights_of_positives(const Places& places) const {
    return places.real(at::tensor(weights_, at::kDouble)).index_select(0, places.image);
  }

  void check(const LevelOutput& level, const LevelTargets& wanted) const {
    const auto images = std::ssize(targets_.positives), anchors = wanted.labels.size(1);
    const auto& grid = wanted.grid;
    const auto is = [&](const at::Tensor& map, int64_t channels) {
      return map.defined() && map.sizes() == at::IntArrayRef({images, channels, grid.height, grid.width});
    };
    AUXBENCH_CHECK(is(level.classes, anchors * classes_) && is(level.boxes, 4 * anchors) &&
                       level.centreness.defined() == rules_.match.points &&
                       (!level.centreness.defined() || is(level.centreness, 1)),
                   "outputs of level " + std::to_string(level.level) + " as large as its grid over the batch");
  }

  [[nodiscard]] at::Tensor box_loss(const LevelOutput& level, const Places& places) const {
    const auto& sizes = places.wanted.labels.sizes();
    const auto maps = level.boxes.reshape({sizes[0], sizes[1], 4, sizes[2]}).permute({0, 1, 3, 2});
    const auto codes = maps.index({places.image, places.anchor, places.place});
    const auto& rules = rules_.loss;
    const auto loss = rules.giou ? giou_loss(boxes_of_sides(codes, places.real(places.wanted.anchors)),
                                             places.real(places.wanted.truths), rules.giou_epsilon)
                                 : box_l1_loss(codes, places.real(places.wanted.codes), rules.smooth_l1_beta);
    return (loss * weights_of_positives(places)).sum();
  }

  [[nodiscard]] at::Tensor centreness_loss(const LevelOutput& level, const Places& places) const {
    const auto found = level.centreness.flatten(1).index({places.image, places.place});
    const auto loss =
        at::binary_cross_entropy_with_logits(found, places.real(places.wanted.centreness), {}, {}, at::Reduction::None);
    return (loss * weights_of_positives(places)).sum();
  }

  const DetectorRules& rules_;
  int64_t classes_;
  DetectionTargets targets_;
  std::vector<double> weights_;  // of the step's images; none before the first
  std::shared_ptr<Average> average_;
};

}  // namespace

std::unique_ptr<TaskLosses> make_detection_losses(const DetectorRules& rules, int64_t classes) {
  return std::make_unique<DetectionLosses>(rules, classes);
}

}  // namespace auxbench
