#include "runner/inspect/torch/detector_batch.h"

#include <algorithm>

namespace auxbench {
namespace {

using std::to_string;

// [n, 4] float32: corners of boxes that have an area.
at::Tensor required_boxes(const SafeTensors& in, const std::string& name) {
  const auto boxes = required_tensor(in, name, "--input").to(at::kFloat).contiguous();
  if (boxes.dim() != 2 || boxes.size(1) != 4)
    refuse_probe("--input: " + name + " has shape " + shape_text(boxes.sizes()) + ", expected [n, 4]");
  for (int64_t i = 0; i < boxes.size(0); ++i) {
    const auto* box = boxes.const_data_ptr<float>() + 4 * i;
    // A number that is none fails as well.
    if (!(box[0] < box[2] && box[1] < box[3]) || !boxes[i].isfinite().all().item<bool>())
      refuse_probe("--input: box " + to_string(i) + " of " + name + " has no area");
  }
  return boxes;
}

void read_sizes(const SafeTensors& in, TensorBatch& batch) {
  const auto count = batch.images.size(0), height = batch.images.size(2), width = batch.images.size(3);
  auto sizes = at::tensor({height, width}, at::kLong).repeat({count, 1});
  if (in.tensors.contains("sizes")) {
    sizes = required_tensor(in, "sizes", "--input").to(at::kLong);
    if (sizes.sizes() != at::IntArrayRef({count, 2}))
      refuse_probe("--input: sizes have shape " + shape_text(sizes.sizes()) + ", expected [" + to_string(count) +
                   ", 2]");
  }
  for (int64_t i = 0; i < count; ++i) {
    const auto h = sizes[i][0].item<int64_t>(), w = sizes[i][1].item<int64_t>();
    if (h < 1 || h > height || w < 1 || w > width)
      refuse_probe("--input: sizes of image " + to_string(i) + " are not within the images'");
    batch.infos.push_back(
        {.index = static_cast<size_t>(i), .width = w, .height = h, .full_width = w, .full_height = h, .boxes = {}});
  }
}

}  // namespace

const DetectorRules& rules_of_probe(const CellSpec& cell) {
  return detector_rules(cell.model.substr(0, cell.model.find('-')), cell.detector.flavour);
}

DataShape detector_shape(const CellSpec& cell, const SafeTensors& weights, const std::string& before) {
  const auto logits = before + "head.classification_head.cls_logits.weight";
  const auto anchors = static_cast<int64_t>(rules_of_probe(cell).anchors_a_place());
  const auto outputs = weight_dimension(weights, logits, 0, 4);
  if (outputs % anchors != 0)
    throw UserError(ExitCode::data_missing, "--weights: " + logits + " has " + to_string(outputs) + " outputs, which " +
                                                to_string(anchors) + " anchors do not share evenly");
  return {.channels = weight_dimension(weights, before + "backbone.body.conv1.weight", 1, 4),
          .classes = outputs / anchors};
}

void add_level(const LevelOutput& level, NamedTensors& out) {
  const auto number = "." + to_string(level.level);
  out["classes" + number] = level.classes;
  out["boxes" + number] = level.boxes;
  if (level.centreness.defined()) out["centreness" + number] = level.centreness;
}

bool has_boxes(const SafeTensors& in) { return in.tensors.contains("boxes.0"); }

TensorBatch required_detector_batch(const SafeTensors& in, const DataShape& shape, at::ScalarType type, bool boxes) {
  const auto images = required_images(in, shape.channels);
  if (at::isComplexType(images.scalar_type())) refuse_probe("--input: input is complex");
  TensorBatch batch = {.images = images.to(type), .targets = {}};
  read_sizes(in, batch);
  if (!boxes) return batch;
  for (int64_t i = 0; i < images.size(0); ++i) {
    const auto number = to_string(i);
    batch.targets.boxes.push_back(required_boxes(in, "boxes." + number));
    batch.targets.classes.push_back(checked_classes(required_tensor(in, "classes." + number, "--input"),
                                                    batch.targets.boxes.back().size(0), shape.classes,
                                                    {"--input: classes." + number + ": ", "classes", "class", "box"}));
  }
  return batch;
}

}  // namespace auxbench
