#include "runner/plan/check_detection.h"

#include <algorithm>
#include <array>
#include <utility>

#include "models/list/models.h"
#include "runner/plan/aids.h"

namespace auxbench {
namespace {

using Refuse = std::function<void(const std::string& what)>;

constexpr int kLeastSide = 32;        // pixels: batches are padded to multiples of it
constexpr int kGroupNormGroups = 32;  // of channels, Wu and He 2018, arXiv 1803.08494

constexpr std::array kOfBoxes = {"flip", "short-side"};

// Calls visit(name, stage) for the stages that the cell has.
template <typename Visit>
void each_stage(const CellSpec& cell, const Visit& visit) {
  for (const auto& [name, stage] : {std::pair("pretrain", &cell.pretrain), std::pair("finetune", &cell.finetune)})
    if (*stage) visit(std::string(name), **stage);
}

void check_classifier(const CellSpec& cell, const Refuse& refuse) {
  if (has_boxes(cell.dataset))
    refuse("dataset " + cell.dataset + " has boxes, not one label an image: it is for task detection");
  if (cell.image_size != 0) refuse("image_size is of detectors: a classifier's images have their data set's size");
  const AuxiSpec usual;
  if (cell.auxi.where != usual.where || cell.auxi.predict != usual.predict || cell.auxi.pyramid != usual.pyramid)
    refuse("auxi.where, auxi.predict and auxi.pyramid are of detectors");
  each_stage(cell, [&](const std::string& name, const StageSpec& stage) {
    if (std::find(stage.augment.begin(), stage.augment.end(), "short-side") != stage.augment.end())
      refuse(name + ".augment short-side is of detectors");
  });
}

// Frozen statistics are those of the network that the cell starts from.
void check_frozen_norms(const CellSpec& cell, const Refuse& refuse) {
  const auto& detector = cell.detector;
  if (detector.norm == "frozen" && (cell.full_precision() || !cell.has_start()))
    refuse("detector.norm frozen: there is no trained network whose statistics they could have");
  if (detector.backbone_norm == "frozen" && (cell.full_precision() ? cell.weights.empty() : !cell.has_start()))
    refuse("detector.backbone_norm frozen needs weights, or a quantized cell that starts from pretrain");
}

void check_norms(const CellSpec& cell, const Refuse& refuse) {
  const auto& detector = cell.detector;
  check_frozen_norms(cell, refuse);
  if (detector.norm == "group" && detector.channels % kGroupNormGroups != 0)
    refuse("detector.norm group needs detector.channels to be a multiple of " + std::to_string(kGroupNormGroups) +
           ", not " + std::to_string(detector.channels));
}

void check_images(const CellSpec& cell, const Refuse& refuse) {
  if (!has_boxes(cell.dataset))
    refuse("task detection needs a dataset with boxes, coco, scenes or scenes-20k, not " + cell.dataset);
  if (cell.image_size != 0 && cell.image_size < kLeastSide)
    refuse("image_size " + std::to_string(cell.image_size) + ": expected 0 or at least " + std::to_string(kLeastSide));
  each_stage(cell, [&](const std::string& name, const StageSpec& stage) {
    for (const auto& augment : stage.augment)
      if (std::find(kOfBoxes.begin(), kOfBoxes.end(), augment) == kOfBoxes.end())
        refuse(name + ".augment " + augment + " does not know boxes: a detector has flip and short-side");
  });
}

// models/detector.h builds no other.
void check_backbone(const CellSpec& cell, const Refuse& refuse) {
  if (cell.stem != "imagenet")
    refuse("stem " + cell.stem + ": a detector's levels count on the imagenet stem, which makes one place of 4 pixels");
  if (cell.block != "post-act") refuse("block " + cell.block + ": a detector's backbone has blocks post-act");
  if (cell.quantize_at == "block-output")
    refuse("quantize_at block-output: a detector quantizes at the inputs of convolutions, conv-input");
}

void check_detector(const CellSpec& cell, const Refuse& refuse) {
  check_images(cell, refuse);
  check_backbone(cell, refuse);
  for (const auto& name : cell.aid)
    if (!find_aid(name)->detects)
      refuse("aid " + name + " compares one answer an image, which a detector does not give");
  if (cell.has_auxi() && cell.auxi.norms == "separate")
    refuse("auxi.norms separate: a detector's modules read its one pass, by its own norms");
  check_norms(cell, refuse);
}

}  // namespace

bool has_boxes(const std::string& dataset) {
  return dataset == "coco" || dataset == "scenes" || dataset == "scenes-20k";
}

void check_task(const CellSpec& cell, const Refuse& refuse) {
  if (const auto* model = find_model(cell.model); model != nullptr && model->task != cell.task)
    refuse("model " + cell.model + " is for task " + std::string(model->task) + ", not for " + cell.task);
  cell.task == "detection" ? check_detector(cell, refuse) : check_classifier(cell, refuse);
}

}  // namespace auxbench
