#include "runner/inspect/probes.h"

#include "base/error.h"
#include "base/torch_prelude.h"
#include "models/weights.h"
#include "runner/training/step_engine.h"

namespace auxbench {
namespace {

at::Tensor required(const SafeTensors& file, const std::string& name) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end()) throw UserError(ExitCode::usage, "--input: no tensor named " + name);
  return from_safetensor(found->second, name);
}

at::Tensor scalar(double value) { return at::full({}, value, at::kDouble); }

int64_t dimension(const SafeTensors& weights, const std::string& name, size_t axis) {
  const auto found = weights.tensors.find(name);
  if (found == weights.tensors.end() || found->second.shape.size() <= axis)
    throw UserError(ExitCode::data_missing,
                    "--weights: no tensor named " + name + " with " + std::to_string(axis + 1) + " dimensions");
  return found->second.shape[axis];
}

SafeTensors file_of(const NamedTensors& tensors) {
  SafeTensors file;
  store_tensors(tensors, file);
  return file;
}

}  // namespace

SafeTensors probe_quantizer(const std::string& method, Role role, int bits, const QuantizerSettings& settings,
                            const SafeTensors& in) {
  const auto quantizer = make_quantizer(method, role, bits, settings);
  const auto x = required(in, "input").to(at::kDouble).requires_grad_(true);
  const auto coded = quantizer->encode(x, Phase::training);
  const auto values = decode(coded);
  NamedTensors out = {{"values", values},
                      {"codes", coded.codes},
                      {"offset", coded.offset.defined() ? coded.offset : scalar(0)},
                      {"levels", at::full({}, quantizer->levels(), at::kLong)}};
  if (coded.scale.defined()) out["scale"] = coded.scale;
  if (coded.basis.defined()) out["basis"] = coded.basis;
  for (const auto& [name, parameter] : quantizer->parameters()) out[name] = parameter;
  for (const auto& [name, state] : quantizer->state()) out["state." + name] = state;
  if (!in.tensors.contains("grad")) return file_of(out);
  const auto gradient = required(in, "grad").to(at::kDouble);
  if (gradient.sizes() != x.sizes()) throw UserError(ExitCode::usage, "--grad: its shape is not the input's");
  values.backward(gradient);
  out["input_grad"] = x.grad();
  for (const auto& [name, parameter] : quantizer->parameters())
    if (parameter.grad().defined()) out[name + "_grad"] = parameter.grad();
  return file_of(out);
}

SafeTensors probe_model(const ModelProbe& probe, const SafeTensors& weights, const SafeTensors& in) {
  auto options = probe.network;
  if (!network_exists(options.model)) throw UserError(ExitCode::usage, options.model + ": no such model");
  const auto images = required(in, "input");
  options.in_channels = dimension(weights, "conv1.weight", 1);
  options.classes = dimension(weights, "fc.weight", 0);
  const auto network = make_network(options);
  move_module(network->module(), c10::kCPU, images.scalar_type());
  load_tensors(weights, "", named_tensors(network->module()), "--weights");
  network->module().eval();
  const at::NoGradGuard no_gradient;
  const TapPlan plan;
  const auto output = network->forward(images, probe.taps ? &plan : nullptr);
  NamedTensors out = {{"logits", output.logits}};
  if (probe.taps) out["stem"] = output.stem;
  for (size_t i = 0; i < output.taps.size(); ++i) out["tap." + std::to_string(i)] = output.taps[i];
  return file_of(out);
}

SafeTensors probe_step(const CellSpec& cell, const SafeTensors& weights, const SafeTensors& in, int steps,
                       bool float64) {
  if (const auto reason = why_not_implemented(cell); !reason.empty()) throw UserError(ExitCode::usage, reason);
  if (!cell.trains()) throw UserError(ExitCode::usage, cell_slug(cell) + " has no training step");
  const auto type = float64 ? at::kDouble : at::kFloat;
  const auto images = required(in, "input").to(type);
  const auto labels = required(in, "labels").to(at::kLong);
  Experiment experiment(cell, {.channels = images.size(1), .classes = dimension(weights, "model.fc.weight", 0)},
                        {.type = type});
  load_tensors(weights, "model.", experiment.tensors(), "--weights");  // "aux." and "aid." too
  experiment.train_mode(true);
  const auto engine = make_eager_step(experiment);
  NamedTensors out;
  auto losses = at::empty({steps}, at::kDouble), totals = at::empty({steps}, at::kDouble);
  for (int i = 0; i < steps; ++i) {
    const auto result = engine->step({.images = images, .targets = {.labels = labels}}, cell.stage().lr);
    losses[i].fill_(result.task.item<double>());
    totals[i].fill_(result.total.item<double>());
    if (i > 0) continue;
    out["loss"] = result.task;
    out["logits"] = result.logits;
    for (const auto& term : result.methods) {
      if (term.name != "aux_loss") continue;
      out["aux_loss"] = term.value;
      out["aux_logits"] = term.judged;
    }
    for (const auto& [name, parameter] : experiment.parameters())
      if (parameter.grad().defined()) out["grad." + name] = parameter.grad().clone();
  }
  out["losses"] = losses;
  out["totals"] = totals;
  for (const auto& [name, tensor] : experiment.tensors()) out["after." + name] = tensor;
  return file_of(out);
}

}  // namespace auxbench
