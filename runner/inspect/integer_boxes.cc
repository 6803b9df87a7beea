#include "runner/inspect/integer_boxes.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace auxbench {
namespace {

constexpr int64_t kSides = 4;  // of a box
constexpr int64_t kLastLevel = 30;
constexpr std::array kKinds = {"retinanet", "fcos"};
constexpr std::array kFlavours = {"detectron2", "torchvision"};

[[noreturn]] void refuse(const std::string& what) {
  throw UserError(ExitCode::data_missing, "integer network: " + what);
}

std::string at_level(const char* what, int64_t level) { return std::string(what) + "." + std::to_string(level); }

const IntegerValue* output_of(const IntegerNetwork& network, const std::string& name) {
  const auto found = std::find_if(network.outputs.begin(), network.outputs.end(),
                                  [&](const auto& output) { return output.name == name; });
  return found == network.outputs.end() ? nullptr : &network.values[found->value];
}

std::vector<int64_t> levels_of(const IntegerNetwork& network) {
  std::vector<int64_t> levels;
  for (int64_t level = 0; level <= kLastLevel; ++level)
    if (output_of(network, at_level("classes", level)) != nullptr) levels.push_back(level);
  return levels;
}

// Of one image, as the engine has it.
std::span<const float> numbers_of(const ExecutorOutput& output, int64_t image) {
  const auto numbers = static_cast<size_t>(output.h * output.w * output.channels);
  return output.numbers.subspan(static_cast<size_t>(image) * numbers, numbers);
}

LevelPrediction prediction_of(const IntegerNetwork& network, const Executor& engine, int64_t level, int64_t image) {
  const auto classes = engine.output(at_level("classes", level)), boxes = engine.output(at_level("boxes", level));
  LevelPrediction found = {.grid = {.level = level, .height = classes.h, .width = classes.w},
                           .classes = numbers_of(classes, image),
                           .boxes = numbers_of(boxes, image),
                           .centreness = {},
                           .channels_last = true};
  const auto centreness = at_level("centreness", level);
  if (output_of(network, centreness) != nullptr) found.centreness = numbers_of(engine.output(centreness), image);
  return found;
}

}  // namespace

bool is_detector(const IntegerNetwork& network) { return !network.detector.kind.empty(); }

DetectorRules rules_of(const IntegerNetwork& network) {
  const auto& [kind, flavour, image_size] = network.detector;
  const bool known = std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end() &&
                     std::find(kFlavours.begin(), kFlavours.end(), flavour) != kFlavours.end();
  if (!known) refuse("no rules for a detector " + kind + " as in " + flavour);
  return detector_rules(kind, flavour);
}

int64_t detector_classes(const IntegerNetwork& network) {
  const auto anchors = static_cast<int64_t>(rules_of(network).anchors_a_place());
  const auto levels = levels_of(network);
  if (levels.empty()) refuse("a detector without classes");
  const bool with_centreness = output_of(network, at_level("centreness", levels.front())) != nullptr;
  int64_t channels = 0;
  for (const auto level : levels) {
    const auto *classes = output_of(network, at_level("classes", level)),
               *boxes = output_of(network, at_level("boxes", level)),
               *centreness = output_of(network, at_level("centreness", level));
    if (channels == 0) channels = classes->channels;
    const bool fits = boxes != nullptr && boxes->channels == kSides * anchors && classes->channels == channels &&
                      channels % anchors == 0 && (centreness != nullptr) == with_centreness &&
                      (centreness == nullptr || centreness->channels == 1);
    if (!fits) refuse("outputs of level " + std::to_string(level) + " that do not belong together");
  }
  return channels / anchors;
}

std::vector<std::vector<Detection>> find_boxes(const IntegerNetwork& network, const DetectorRules& rules,
                                               const IntegerBatch& batch) {
  const auto levels = levels_of(network);
  std::vector<std::vector<Detection>> found;
  for (int64_t i = 0; i < batch.images; ++i) {
    std::vector<LevelPrediction> predictions;
    for (const auto level : levels) predictions.push_back(prediction_of(network, batch.engine, level, i));
    const auto& image = batch.taken.boxed[static_cast<size_t>(i)];
    found.push_back(find_boxes(rules, predictions, Extent{.height = image.height, .width = image.width},
                               Extent{.height = image.full_height, .width = image.full_width}));
  }
  return found;
}

std::vector<CocoDetection> coco_detections(const ImageSource& images, const BoxedImage& image,
                                           const std::vector<Detection>& found) {
  std::vector<CocoDetection> detections;
  for (const auto& [label, score, box] : found) {
    const std::array<double, 4> at = {static_cast<double>(box.x0), static_cast<double>(box.y0),
                                      static_cast<double>(box.x1), static_cast<double>(box.y1)};
    detections.push_back({.image = images.truth()->images[image.index].id,
                          .category = images.category(label),
                          .box = {.x = at[0], .y = at[1], .w = at[2] - at[0], .h = at[3] - at[1]},
                          .score = static_cast<double>(score)});
  }
  return detections;
}

}  // namespace auxbench
