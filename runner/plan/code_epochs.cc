#include "runner/plan/code_epochs.h"

#include "models/list/models.h"
#include "quantizers/methods/methods.h"
#include "runner/plan/aids.h"

namespace auxbench {
namespace {

// Of tasks and of recipe features, as code_epochs names them. A part that is not listed is in its first epoch.
const std::map<std::string, int>& raised_epochs() {
  static const std::map<std::string, int> kRaised = {
      {"task detection", 2},               // 2: the focal loss is summed in double
      {"task classification", 2},          // 2: one thread a cell, where there had been as many as the machine has
      {"block-output in bottlenecks", 2},  // 2: each inner activation has a quantizer of its own
      {"separate norms", 2},               // 2: quantizers learn nothing from the auxiliary module's own pass
      {"scale without a norm", 2},         // 2: least squares in place of E|w|, and its gradient
  };
  return kRaised;
}

int epoch_of(const std::string& part) {
  const auto found = raised_epochs().find(part);
  return found == raised_epochs().end() ? 1 : found->second;
}

void add(const std::string& part, std::map<std::string, int>& epochs) { epochs[part] = epoch_of(part); }

void add_recipe(const StageSpec& stage, std::map<std::string, int>& epochs) {
  add("optimizer " + stage.optimizer, epochs);
  add("schedule " + stage.schedule, epochs);
  for (const auto& name : stage.augment) add("augment " + name, epochs);
  if (stage.warmup > 0) add("warm-up", epochs);
  if (stage.clip_norm > 0) add("gradient clipping", epochs);
  if (stage.reestimate_norms > 0) add("norm re-estimation", epochs);
}

}  // namespace

std::map<std::string, int> code_epochs(const CellSpec& cell) {
  std::map<std::string, int> epochs;
  add("task " + cell.task, epochs);
  if (const auto* model = find_model(cell.model)) epochs["model " + cell.model] = model->epoch;
  if (const auto* method = find_quantizer(cell.quantizer)) epochs["quantizer " + cell.quantizer] = method->epoch;
  if (const auto* model = find_model(cell.model);
      model != nullptr && model->bottleneck && !cell.full_precision() && cell.quantize_at == "block-output")
    add("block-output in bottlenecks", epochs);
  for (const auto& name : cell.aid) epochs["aid " + name] = find_aid(name)->epoch;
  if (cell.has_auxi() && cell.auxi.norms == "separate" && !cell.full_precision()) add("separate norms", epochs);
  if (cell.finetune && (cell.first_last != "float" || cell.task == "detection")) add("scale without a norm", epochs);
  if (cell.pretrain) add_recipe(*cell.pretrain, epochs);
  if (cell.finetune) add_recipe(*cell.finetune, epochs);
  if (cell.calibrate) add("calibration", epochs);
  if (cell.calibrate && cell.calibrate->reestimate_norms > 0) add("norm re-estimation", epochs);
  if (cell.calibrate && cell.calibrate->correct_bias) add("bias correction", epochs);
  if (cell.zero_init) add("zero init", epochs);
  if (cell.has_auxi() && cell.auxi.until > 0) add("auxiliary decay", epochs);
  if (cell.task == "detection") {
    add("detector " + cell.detector.flavour, epochs);
    add("detector norm " + cell.detector.norm, epochs);
    if (cell.has_auxi()) add("modules of a detector", epochs);
  }
  return epochs;
}

}  // namespace auxbench
