#include "runner/tasks/detection/detection.h"

#include "base/check.h"
#include "models/detector.h"
#include "runner/tasks/cell_network.h"
#include "runner/tasks/detection/detection_evaluator.h"
#include "runner/tasks/detection/detection_losses.h"

namespace auxbench {
namespace {

// "retinanet" of "retinanet-resnet18".
std::string kind_of(const CellSpec& cell) { return cell.model.substr(0, cell.model.find('-')); }

const DetectorRules& rules_of(const CellSpec& cell) { return detector_rules(kind_of(cell), cell.detector.flavour); }

class DetectionTask final : public Task {
 public:
  [[nodiscard]] std::unique_ptr<Network> network(const CellSpec& cell, const DataShape& data,
                                                 Precision precision) const override {
    const auto& detector = cell.detector;
    return make_detector({.backbone = network_options(cell, data, precision),
                          .kind = kind_of(cell),
                          .flavour = detector.flavour,
                          .classes = data.classes,
                          .channels = detector.channels,
                          .tower = detector.tower,
                          .heads = detector.heads,
                          .quantize = detector.quantize,
                          .norm = detector.norm,
                          .backbone_norm = detector.backbone_norm});
  }

  [[nodiscard]] std::unique_ptr<TaskLosses> make_losses(const CellSpec& cell, const DataShape& data) const override {
    return make_detection_losses(rules_of(cell), data.classes);
  }

  [[nodiscard]] HeadMaker head(const DataShape&) const override {
    fail_check("head", __FILE__, __LINE__, "a training method that a detector can have");
  }

  [[nodiscard]] std::unique_ptr<Evaluator> evaluator(const CellSpec& cell, const ImageSource& images) const override {
    return make_detection_evaluator(rules_of(cell), images);
  }

  // A detector that has learned nothing scores everything 0.01, as its last layer starts, and shows no box at all. One
  // whose weights are noise shows boxes of any class anywhere: on scenes of a few things of ten classes a hundred
  // random boxes an image, as large as things are, have an AP50 of about 0.1 % (tests/metrics/detection.cc), and boxes
  // of the commonest class alone stay below that over all classes. At 1 % something was found. (Pictures of 64 pixels
  // with things of two classes are filled by a hundred boxes: there noise may pass.)
  [[nodiscard]] std::optional<ChanceLevel> chance_level(const DataShape&, int64_t test_images) const override {
    if (test_images < 1) return std::nullopt;
    return ChanceLevel{.metric = 1, .name = "ap50"};
  }
};

}  // namespace

const Task& detection() {
  static const DetectionTask kTask;
  return kTask;
}

}  // namespace auxbench
