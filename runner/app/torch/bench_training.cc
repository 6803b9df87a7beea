#include <nlohmann/json.hpp>

#include "base/output.h"
#include "base/quantile.h"
#include "models/list/models.h"
#include "quantizers/methods/methods.h"
#include "runner/app/torch/verbs.h"
#include "runner/bench/training_speed.h"
#include "runner/training/device.h"

namespace auxbench {
namespace {

// Adam for classifiers; for detectors what both flavours are trained with, at a rate that random pixels bear.
StageSpec stage_of(const TrainingBenchArguments& arguments, bool detector) {
  if (!detector) return {.epochs = 1, .batch = arguments.batch, .optimizer = "adam", .lr = 1e-3};
  return {
      .epochs = 1, .batch = arguments.batch, .optimizer = "sgd", .lr = 1e-3, .nesterov = false, .weight_decay = 1e-4};
}

CellSpec cell_of(const TrainingBenchArguments& arguments) {
  const auto* model = find_model(arguments.model);
  if (model == nullptr) throw UserError(ExitCode::usage, "--model " + arguments.model + ": no such model");
  const bool detector = model->task == "detection";
  CellSpec cell;
  cell.task = model->task;
  cell.dataset = "fashion-mnist";
  cell.model = arguments.model;
  cell.stem = arguments.stem;
  cell.stem_stride = arguments.stem_stride;
  cell.width = arguments.width;
  cell.detector.flavour = arguments.flavour;
  cell.detector.heads = arguments.heads;
  cell.detector.norm = arguments.norm;
  cell.detector.backbone_norm = arguments.backbone_norm;
  const auto stage = stage_of(arguments, detector);
  cell.pretrain = stage;
  if (arguments.variant == "w2a2-auxi" || arguments.variant == "fp-auxi") cell.aid = {"auxi"};
  const auto* method = find_quantizer(arguments.quantizer);
  if (method == nullptr) throw UserError(ExitCode::usage, "--quantizer " + arguments.quantizer + ": no such quantizer");
  if (method->post_training())
    throw UserError(ExitCode::usage, "--quantizer " + method->name + ": has no training step");
  cell.block = method->block;
  cell.activation = method->activation;
  if (arguments.variant.starts_with("fp")) return cell;
  cell.quantizer = method->name;
  cell.weight_bits = cell.activation_bits = arguments.bits;
  cell.quantize_at = method->quantize_at;
  cell.finetune = stage;
  return cell;
}

}  // namespace

ExitCode bench_training(const TrainingBenchArguments& arguments) {
  use_threads(arguments.threads);
  const auto device = open_device(arguments.device);
  const auto speed = measure_training(cell_of(arguments), arguments.image, arguments.channels, arguments.classes,
                                      arguments.steps, device);
  const double median = quantile(speed.step_seconds, 0.5);
  const double per_second = arguments.batch / median;
  const nlohmann::json result = {{"model", arguments.model},
                                 {"variant", arguments.variant},
                                 {"quantizer", arguments.quantizer},
                                 {"bits", arguments.bits},
                                 {"device", device.str()},
                                 {"threads", threads_used()},
                                 {"batch", arguments.batch},
                                 {"image", arguments.image},
                                 {"width", arguments.width},
                                 {"images_per_second", per_second},
                                 {"step_ms",
                                  {{"q25", 1e3 * quantile(speed.step_seconds, 0.25)},
                                   {"median", 1e3 * median},
                                   {"q75", 1e3 * quantile(speed.step_seconds, 0.75)}}}};
  if (arguments.json)
    print_line("%s", result.dump().c_str());
  else
    print_line("%s %s: %.1f images/s, %.2f ms a step of %d", arguments.model.c_str(), arguments.variant.c_str(),
               per_second, 1e3 * median, arguments.batch);
  return ExitCode::ok;
}

}  // namespace auxbench
