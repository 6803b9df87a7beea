#include "runner/tasks/detection/detection_evaluator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/torch_prelude.h"
#include "metrics/coco_eval.h"
#include "metrics/detection/postprocess.h"

namespace auxbench {
namespace {

constexpr std::pair<CocoNumber, const char*> kMetrics[] = {
    {CocoNumber::ap, "ap"},        {CocoNumber::ap50, "ap50"},     {CocoNumber::ap75, "ap75"},
    {CocoNumber::ap_small, "aps"}, {CocoNumber::ap_medium, "apm"}, {CocoNumber::ap_large, "apl"},
    {CocoNumber::ar1, "ar1"},      {CocoNumber::ar10, "ar10"},     {CocoNumber::ar100, "ar100"}};

// One level's raw outputs for a batch, in memory that spans can be had of.
struct LevelMaps {
  LevelGrid grid;
  at::Tensor classes, boxes, centreness;

  explicit LevelMaps(const LevelOutput& level)
      : grid{.level = level.level, .height = level.classes.size(2), .width = level.classes.size(3)},
        classes(floats(level.classes)),
        boxes(floats(level.boxes)),
        centreness(level.centreness.defined() ? floats(level.centreness) : at::Tensor()) {}

  [[nodiscard]] LevelPrediction of_image(int64_t n) const {
    return {.grid = grid, .classes = part(classes, n), .boxes = part(boxes, n), .centreness = part(centreness, n)};
  }

  [[nodiscard]] bool finite(int64_t n) const {
    for (const auto& map : {classes, boxes, centreness})
      if (map.defined() && !map.select(0, n).isfinite().all().item<bool>()) return false;
    return true;
  }

 private:
  static at::Tensor floats(const at::Tensor& map) { return map.detach().to(at::kCPU, at::kFloat).contiguous(); }
  static std::span<const float> part(const at::Tensor& map, int64_t n) {
    if (!map.defined()) return {};
    const auto size = static_cast<size_t>(map.numel() / map.size(0));
    return {map.const_data_ptr<float>() + static_cast<size_t>(n) * size, size};
  }
};

double in_percent(double share) { return std::round(share * 1e4) / 100; }

nlohmann::json facts_of(const CocoResult& result) {
  auto names = nlohmann::json::array(), ap = names, at50 = names, at75 = names;
  for (const auto& each : result.categories) {
    names.push_back(each.category.name);
    ap.push_back(each.ap < 0 ? nlohmann::json() : nlohmann::json(in_percent(each.ap)));
  }
  for (const double precision : result.curves[0]) at50.push_back(in_percent(precision));
  for (const double precision : result.curves[1]) at75.push_back(in_percent(precision));
  return {{"categories", names}, {"ap", ap}, {"precision50", at50}, {"precision75", at75}};
}

class DetectionEvaluator final : public Evaluator {
 public:
  DetectionEvaluator(const DetectorRules& rules, const ImageSource& images) : rules_(rules), images_(images) {
    const auto* truth = images.truth();
    AUXBENCH_CHECK(truth != nullptr && std::ssize(truth->images) == images.count(), "the truth of each image");
    if (std::all_of(truth->annotations.begin(), truth->annotations.end(), [](const auto& each) { return each.crowd; }))
      throw UserError(ExitCode::data_missing, "detection: no image that it is evaluated on has a box");
  }

  void add(const TensorBatch& batch, const NetworkOutput& output) override {
    AUXBENCH_CHECK(!output.levels.empty() && output.levels.front().classes.size(0) == std::ssize(batch.infos),
                   "levels of a detector, and what is known of each image");
    std::vector<LevelMaps> levels;
    for (const auto& level : output.levels) levels.emplace_back(level);
    for (int64_t n = 0; n < std::ssize(batch.infos); ++n) {
      const auto& info = batch.infos[static_cast<size_t>(n)];
      std::vector<LevelPrediction> predictions;
      for (const auto& level : levels) predictions.push_back(level.of_image(n));
      found_.push_back({.image = info.index,
                        .boxes = find_boxes(rules_, predictions, {.height = info.height, .width = info.width},
                                            {.height = info.full_height, .width = info.full_width})});
      const bool numbers =
          std::all_of(levels.begin(), levels.end(), [n](const auto& level) { return level.finite(n); });
      without_numbers_ += numbers ? 0 : 1;
    }
  }

  void merge(Evaluator& next) override {
    auto* other = dynamic_cast<DetectionEvaluator*>(&next);
    AUXBENCH_CHECK(other != nullptr && other != this, "another evaluator of the same task");
    std::move(other->found_.begin(), other->found_.end(), std::back_inserter(found_));
    without_numbers_ += other->without_numbers_;
    other->found_.clear();
  }

  Evaluation finish() override {
    const auto result = evaluate_coco(*images_.truth(), detections());
    Evaluation evaluation = {.outcomes = {{"detections", rows()}},
                             .answers = "detections",
                             .without_numbers = without_numbers_,
                             .facts = {{"detection", facts_of(result)}}};
    for (const auto& [number, name] : kMetrics)
      if (const double value = result.of(number); value >= 0)
        evaluation.metrics.push_back({.name = name, .value = 100 * value, .unit = "%"});
    return evaluation;
  }

 private:
  struct Image {
    size_t image;  // in its source
    std::vector<Detection> boxes;
  };

  [[nodiscard]] std::vector<CocoDetection> detections() const {
    std::vector<CocoDetection> all;
    for (const auto& [index, boxes] : found_) {
      const auto image = images_.truth()->images.at(index).id;
      for (const auto& [label, score, box] : boxes) {
        const auto x = static_cast<double>(box.x0), y = static_cast<double>(box.y0);
        all.push_back({.image = image,
                       .category = images_.category(label),
                       .box = {x, y, static_cast<double>(box.x1) - x, static_cast<double>(box.y1) - y},
                       .score = static_cast<double>(score)});
      }
    }
    return all;
  }

  [[nodiscard]] at::Tensor rows() const {
    const auto most = static_cast<int64_t>(rules_.decode.most);
    auto all = at::full({std::ssize(found_), most, 6}, -1.0F, at::kFloat);
    auto* row = all.mutable_data_ptr<float>();
    for (const auto& [index, boxes] : found_) {
      auto* out = row;
      for (const auto& [label, score, box] : boxes)
        for (const float value : {static_cast<float>(label), score, box.x0, box.y0, box.x1, box.y1}) *out++ = value;
      row += 6 * most;
    }
    return all;
  }

  const DetectorRules& rules_;
  const ImageSource& images_;
  std::vector<Image> found_;  // in the order they came
  int64_t without_numbers_ = 0;
};

}  // namespace

std::unique_ptr<Evaluator> make_detection_evaluator(const DetectorRules& rules, const ImageSource& images) {
  return std::make_unique<DetectionEvaluator>(rules, images);
}

}  // namespace auxbench
