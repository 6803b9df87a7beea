#include "runner/inspect/torch/probes.h"

#include <new>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/torch_prelude.h"
#include "models/plain_names.h"
#include "models/weights.h"
#include "runner/plan/make_plan.h"
#include "runner/training/error_text.h"
#include "runner/training/step_engine.h"

namespace auxbench {
namespace {

using std::to_string;

const std::string kModelPrefix = "model.";

[[noreturn]] void refuse(const std::string& what) { throw UserError(ExitCode::usage, what); }

std::string shape_text(at::IntArrayRef shape) {
  std::string text;
  for (const auto extent : shape) text += (text.empty() ? "" : ", ") + to_string(extent);
  return "[" + text + "]";
}

// flag: what gives it, for messages.
at::Tensor required(const SafeTensors& file, const std::string& name, const std::string& flag) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end()) refuse(flag + ": no tensor named " + name);
  return from_safetensor(found->second, flag + ": " + name);
}

// [N, C, H, W] with as many channels as the weights take.
at::Tensor required_images(const SafeTensors& in, int64_t channels) {
  auto images = required(in, "input", "--input");
  const auto found = "--input: input has shape " + shape_text(images.sizes());
  if (images.dim() != 4) refuse(found + ", expected [N, C, H, W]");
  if (images.numel() == 0) refuse(found + ", which holds no pixels");
  if (images.size(1) != channels)
    refuse(found + ", " + to_string(images.size(1)) + " channels; the weights take " + to_string(channels));
  return images;
}

// One label an image, each of a class that the weights have.
at::Tensor required_labels(const SafeTensors& in, int64_t images, int64_t classes) {
  const auto labels = required(in, "labels", "--labels");
  if (at::isFloatingType(labels.scalar_type()) || labels.scalar_type() == at::kBool)
    refuse("--labels: labels are no whole numbers");
  if (labels.dim() != 1 || labels.size(0) != images)
    refuse("--labels: labels have shape " + shape_text(labels.sizes()) + ", expected [" + to_string(images) +
           "], one for each image");
  const auto whole = labels.to(at::kLong).contiguous();
  for (int64_t i = 0; i < images; ++i)
    if (const auto label = whole.const_data_ptr<int64_t>()[i]; label < 0 || label >= classes)
      refuse("--labels: label " + to_string(label) + " of image " + to_string(i) + ", the weights have classes 0 to " +
             to_string(classes - 1));
  return whole;
}

// What NetworkOptions of a command line may be, before anything is made of them.
void check_network(const NetworkOptions& options) {
  constexpr double kWidest = 64;  // times ResNet's own
  constexpr int64_t kLargestStride = 1024;
  if (!network_exists(options.model)) refuse(options.model + ": no such model");
  if (!(options.width > 0 && options.width <= kWidest))
    refuse("--width " + nlohmann::json(options.width).dump() + ": expected a number above 0, at most 64");
  if (options.stem_stride < 1 || options.stem_stride > kLargestStride)
    refuse("--stem-stride " + to_string(options.stem_stride) + ": expected 1 to 1024");
}

at::Tensor scalar(double value) { return at::full({}, value, at::kDouble); }

// rank: of the tensor, which torchvision's network gives it.
int64_t dimension(const SafeTensors& weights, const std::string& name, size_t axis, size_t rank) {
  const auto found = weights.tensors.find(name);
  if (found == weights.tensors.end())
    throw UserError(ExitCode::data_missing,
                    "--weights: no tensor named " + name + " (torchvision's names are expected)");
  const auto& shape = found->second.shape;
  if (shape.size() != rank || shape[axis] < 1)
    throw UserError(ExitCode::data_missing, "--weights: " + name + " has shape " + shape_text(shape) + ", expected " +
                                                to_string(rank) + " dimensions, none of them 0");
  return shape[axis];
}

// Runs body; memory that was refused and shapes that LibTorch refuses are the user's to mend.
template <typename Body>
SafeTensors in_words(const Body& body) {
  try {
    return body();
  } catch (const UserError&) {
    throw;
  } catch (const c10::Error& error) {
    refuse("--input, --weights: " + error_text(error));
  } catch (const std::bad_alloc& error) {
    refuse(error_text(error));
  }
}

// One number, or one for each row of codes: [channels, 1, 1, 1] for filters.
at::Tensor shaped_to_multiply(const at::Tensor& scale, const at::Tensor& codes) {
  if (scale.dim() == 0) return scale;
  std::vector<int64_t> shape(static_cast<size_t>(codes.dim()), 1);
  shape[0] = scale.size(0);
  return scale.view(shape);
}

// Names by which the quantizer's probe says what codes stand for; a learned parameter called so is "learned.NAME".
std::string name_of_parameter(const std::string& name) {
  const bool taken =
      name == "scale" || name == "offset" || name == "basis" || name == "codes" || name == "values" || name == "levels";
  return taken ? "learned." + name : name;
}

// The network's part of a file of weights, whatever others' tools put before its names, and "aux." and "aid." as they are.
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
    if (fitted.contains(name) && !weights.tensors.contains(name)) continue;  // fitted to the batch
    if (name.starts_with(kModelPrefix))
      of_network[name.substr(kModelPrefix.size())] = target;
    else
      others[name] = target;
  }
  import_tensors(network, of_network, "--weights");
  load_tensors(beside, "", others, "--weights");
}

SafeTensors file_of(const NamedTensors& tensors) {
  SafeTensors file;
  store_tensors(tensors, file);
  return file;
}

SafeTensors quantizer_numbers(const std::string& method, Role role, int bits, const QuantizerSettings& settings,
                              const SafeTensors& in) {
  const auto quantizer = make_quantizer(method, role, bits, settings);
  const auto given = required(in, "input", "--input");
  if (at::isComplexType(given.scalar_type())) refuse("--input: input is complex");
  const auto x = given.to(at::kDouble).requires_grad_(true);
  const auto coded = quantizer->encode(x, Phase::training);
  const auto values = decode(coded);
  NamedTensors out = {{"values", values},
                      {"codes", coded.codes},
                      {"offset", coded.offset.defined() ? coded.offset : scalar(0)},
                      {"levels", at::full({}, quantizer->levels(), at::kLong)}};
  if (coded.scale.defined()) out["scale"] = shaped_to_multiply(coded.scale, coded.codes);
  if (coded.basis.defined()) out["basis"] = coded.basis;
  for (const auto& [name, parameter] : quantizer->parameters()) out[name_of_parameter(name)] = parameter;
  for (const auto& [name, state] : quantizer->state()) out["state." + name] = state;
  if (!in.tensors.contains("grad")) return file_of(out);
  const auto gradient = required(in, "grad", "--grad").to(at::kDouble);
  if (gradient.sizes() != x.sizes())
    refuse("--grad: grad has shape " + shape_text(gradient.sizes()) + ", input " + shape_text(x.sizes()));
  values.backward(gradient);
  out["input_grad"] = x.grad();
  for (const auto& [name, parameter] : quantizer->parameters())
    if (parameter.grad().defined()) out[name + "_grad"] = parameter.grad();
  return file_of(out);
}

SafeTensors model_numbers(const ModelProbe& probe, const SafeTensors& given, const SafeTensors& in) {
  auto options = probe.network;
  check_network(options);
  const auto weights = plain_names(given, {"conv1.weight", "fc.weight"}, "--weights");
  options.in_channels = dimension(weights, "conv1.weight", 1, 4);
  options.classes = dimension(weights, "fc.weight", 0, 2);
  const auto images = required_images(in, options.in_channels);
  if (images.scalar_type() != at::kFloat && images.scalar_type() != at::kDouble)
    refuse("--input: input is of type " + in.tensors.at("input").dtype + ", expected F32 or F64");
  const auto network = make_network(options);
  move_module(network->module(), c10::kCPU, images.scalar_type());
  import_tensors(weights, named_tensors(network->module()), "--weights");
  network->module().eval();
  const at::NoGradGuard no_gradient;
  const TapPlan plan;
  const auto output = network->forward(images, probe.taps ? &plan : nullptr);
  NamedTensors out = {{"logits", output.logits}};
  if (probe.taps) out["stem"] = output.stem;
  for (size_t i = 0; i < output.taps.size(); ++i) out["tap." + to_string(i)] = output.taps[i];
  return file_of(out);
}

SafeTensors step_numbers(const CellSpec& cell, const SafeTensors& weights, const SafeTensors& in, int steps,
                         bool float64) {
  if (const auto reason = why_not_implemented(cell, /*dataset_implemented=*/true); !reason.empty()) refuse(reason);
  if (!cell.trains()) refuse(cell_slug(cell) + " has no training step");
  const auto type = float64 ? at::kDouble : at::kFloat;
  const auto classes = dimension(weights, kModelPrefix + "fc.weight", 0, 2);
  const auto channels = dimension(weights, kModelPrefix + "conv1.weight", 1, 4);
  const auto given = required_images(in, channels);
  if (at::isComplexType(given.scalar_type())) refuse("--input: input is complex");
  const auto images = given.to(type);
  const auto labels = required_labels(in, images.size(0), classes);
  Experiment experiment(cell, {.channels = channels, .classes = classes}, {.type = type});
  load_start(weights, experiment);
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

}  // namespace

SafeTensors probe_quantizer(const std::string& method, Role role, int bits, const QuantizerSettings& settings,
                            const SafeTensors& in) {
  return in_words([&] { return quantizer_numbers(method, role, bits, settings, in); });
}

SafeTensors probe_model(const ModelProbe& probe, const SafeTensors& weights, const SafeTensors& in) {
  return in_words([&] { return model_numbers(probe, weights, in); });
}

SafeTensors probe_step(const CellSpec& cell, const SafeTensors& weights, const SafeTensors& in, int steps,
                       bool float64) {
  return in_words([&] { return step_numbers(cell, weights, in, steps, float64); });
}

}  // namespace auxbench
