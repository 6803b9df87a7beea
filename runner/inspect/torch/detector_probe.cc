#include "metrics/detection/postprocess.h"
#include "models/list/models.h"
#include "models/plain_names.h"
#include "runner/inspect/torch/detector_batch.h"
#include "runner/inspect/torch/probes.h"

namespace auxbench {
namespace {

using std::to_string;

// Maps of all levels in float32, whose memory the predictions of each image look at.
class Predictions {
 public:
  explicit Predictions(const NetworkOutput& output) {
    for (const auto& level : output.levels) {
      grids_.push_back({.level = level.level, .height = level.classes.size(2), .width = level.classes.size(3)});
      for (const auto& map : {level.classes, level.boxes, level.centreness})
        maps_.push_back(map.defined() ? map.to(at::kFloat).contiguous() : at::Tensor());
    }
  }

  [[nodiscard]] std::vector<LevelPrediction> of_image(int64_t n) const {
    std::vector<LevelPrediction> levels;
    for (size_t i = 0; i < grids_.size(); ++i)
      levels.push_back({.grid = grids_[i],
                        .classes = part(maps_[3 * i], n),
                        .boxes = part(maps_[3 * i + 1], n),
                        .centreness = part(maps_[3 * i + 2], n)});
    return levels;
  }

 private:
  static std::span<const float> part(const at::Tensor& map, int64_t n) {
    if (!map.defined()) return {};
    const auto image = map[n];
    return {image.const_data_ptr<float>(), static_cast<size_t>(image.numel())};
  }

  std::vector<LevelGrid> grids_;
  std::vector<at::Tensor> maps_;
};

// [n, 6]: label, score, corners.
at::Tensor rows_of(const std::vector<Detection>& detections) {
  std::vector<float> rows;
  for (const auto& [label, score, box] : detections)
    rows.insert(rows.end(), {static_cast<float>(label), score, box.x0, box.y0, box.x1, box.y1});
  return at::tensor(rows, at::kFloat).reshape({std::ssize(detections), 6});
}

void check_detector(const DetectorProbe& probe) {
  constexpr double kWidest = 64;  // times ResNet's own
  constexpr int kLongestTower = 64;
  const auto* model = find_model(probe.model);
  if (model == nullptr || model->task != "detection") refuse_probe(probe.model + ": no such detector");
  if (!(probe.width > 0 && probe.width <= kWidest)) refuse_probe("--width: expected a number above 0, at most 64");
  if (probe.detector.tower < 1 || probe.detector.tower > kLongestTower) refuse_probe("--tower: expected 1 to 64");
}

SafeTensors detector_numbers(const DetectorProbe& probe, const SafeTensors& given, const SafeTensors& in) {
  check_detector(probe);
  CellSpec cell;
  cell.task = "detection";
  cell.model = probe.model;
  cell.width = probe.width;
  cell.detector = probe.detector;
  const std::string logits = "head.classification_head.cls_logits.weight";
  const auto weights = plain_names(given, {"backbone.body.conv1.weight", logits}, "--weights");
  const auto shape = detector_shape(cell, weights, "");
  cell.detector.channels = static_cast<int>(weight_dimension(weights, logits, 1, 4));
  const auto type = required_tensor(in, "input", "--input").scalar_type();
  if (type != at::kFloat && type != at::kDouble)
    refuse_probe("--input: input is of type " + in.tensors.at("input").dtype + ", expected F32 or F64");
  const bool boxes = has_boxes(in);
  const auto batch = required_detector_batch(in, shape, type, boxes);
  const auto& task = *find_task("detection");
  const auto network = task.network(cell, shape, Precision::full);
  move_module(network->module(), c10::kCPU, type);
  import_tensors(weights, named_tensors(network->module()), "--weights");
  network->module().eval();
  const at::NoGradGuard no_gradient;
  const auto output = network->forward(batch.images);
  NamedTensors out;
  for (const auto& level : output.levels) add_level(level, out);
  const Predictions predictions(output);
  for (int64_t n = 0; n < std::ssize(batch.infos); ++n) {
    const auto& info = batch.infos[static_cast<size_t>(n)];
    const Extent extent = {.height = info.height, .width = info.width};
    out["detections." + to_string(n)] =
        rows_of(find_boxes(rules_of_probe(cell), predictions.of_image(n), extent, extent));
  }
  if (!boxes) return file_of(out);
  const auto losses = task.make_losses(cell, shape);
  losses->begin_step(batch);
  for (const auto& loss : losses->losses(output, batch.targets)) out[loss.name] = loss.value;
  return file_of(out);
}

}  // namespace

SafeTensors probe_detector(const DetectorProbe& probe, const SafeTensors& weights, const SafeTensors& in) {
  return in_words([&] { return detector_numbers(probe, weights, in); });
}

}  // namespace auxbench
