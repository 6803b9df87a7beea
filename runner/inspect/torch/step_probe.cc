#include <nlohmann/json.hpp>

#include "models/plain_names.h"
#include "runner/inspect/torch/detector_batch.h"
#include "runner/inspect/torch/probes.h"
#include "runner/plan/make_plan.h"
#include "runner/training/step_engine.h"

namespace auxbench {
namespace {

const std::string kModelPrefix = "model.";

// The network's part of a file of weights, whatever others' tools put before its names, and all else as it is.
void load_start(const SafeTensors& weights, const Experiment& experiment) {
  SafeTensors network, beside;
  for (const auto& [name, tensor] : weights.tensors)
    if (name.starts_with(kModelPrefix))
      network.tensors[name.substr(kModelPrefix.size())] = tensor;
    else
      beside.tensors[name] = tensor;
  const auto fitted = experiment.quantizer_tensors();
  NamedTensors of_network, others;
  for (const auto& [name, target] : experiment.tensors()) {
    // Fitted to the batch; or what losses remember before the first step.
    const bool starts_anew = fitted.contains(name) || name.starts_with(kTaskPrefix);
    if (starts_anew && !weights.tensors.contains(name)) continue;
    if (name.starts_with(kModelPrefix))
      of_network[name.substr(kModelPrefix.size())] = target;
    else
      others[name] = target;
  }
  import_tensors(network, of_network, "--weights");
  load_tensors(beside, "", others, "--weights");
}

DataShape shape_of_weights(const CellSpec& cell, const SafeTensors& weights) {
  if (cell.task == "detection") return detector_shape(cell, weights, kModelPrefix);
  const auto classes = weight_dimension(weights, kModelPrefix + "fc.weight", 0, 2);
  return {.channels = weight_dimension(weights, kModelPrefix + "conv1.weight", 1, 4), .classes = classes};
}

TensorBatch required_batch(const CellSpec& cell, const SafeTensors& in, const DataShape& shape, at::ScalarType type) {
  if (cell.task == "detection") return required_detector_batch(in, shape, type, /*boxes=*/true);
  const auto images = required_images(in, shape.channels);
  if (at::isComplexType(images.scalar_type())) refuse_probe("--input: input is complex");
  const auto labels = checked_classes(required_tensor(in, "labels", "--labels"), images.size(0), shape.classes,
                                      {"--labels: ", "labels", "label", "image"});
  return {.images = images.to(type), .targets = {.labels = labels}};
}

// Of the first step.
void add_numbers(const JointLoss& result, const Experiment& experiment, NamedTensors& out) {
  out["loss"] = result.task;
  if (result.logits.defined()) out["logits"] = result.logits;
  for (const auto& level : result.levels) add_level(level, out);
  for (const auto& term : result.methods) {
    if (!term.name.starts_with("aux_loss")) continue;
    out[term.name] = term.value;
    if (term.judged.defined()) out["aux_logits"] = term.judged;
  }
  for (const auto& [name, parameter] : experiment.parameters())
    if (parameter.grad().defined()) out["grad." + name] = parameter.grad().clone();
}

SafeTensors step_numbers(const CellSpec& cell, const SafeTensors& weights, const SafeTensors& in, int steps,
                         bool float64) {
  if (const auto reason = why_not_implemented(cell, /*dataset_implemented=*/true); !reason.empty())
    refuse_probe(reason);
  if (!cell.trains()) refuse_probe(cell_slug(cell) + " has no training step");
  const auto type = float64 ? at::kDouble : at::kFloat;
  const auto shape = shape_of_weights(cell, weights);
  const auto batch = required_batch(cell, in, shape, type);
  Experiment experiment(cell, shape, {.type = type});
  load_start(weights, experiment);
  experiment.train_mode(true);
  const auto engine = make_eager_step(experiment);
  NamedTensors out;
  auto losses = at::empty({steps}, at::kDouble), totals = at::empty({steps}, at::kDouble);
  for (int i = 0; i < steps; ++i) {
    const auto result = engine->step(batch, cell.stage().lr);
    losses[i].fill_(result.task.item<double>());
    totals[i].fill_(result.total.item<double>());
    if (i == 0) add_numbers(result, experiment, out);
  }
  out["losses"] = losses;
  out["totals"] = totals;
  for (const auto& [name, tensor] : experiment.tensors()) out["after." + name] = tensor;
  return file_of(out);
}

}  // namespace

SafeTensors probe_step(const CellSpec& cell, const SafeTensors& weights, const SafeTensors& in, int steps,
                       bool float64) {
  return in_words([&] { return step_numbers(cell, weights, in, steps, float64); });
}

}  // namespace auxbench
