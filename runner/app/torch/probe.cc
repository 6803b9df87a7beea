#include "base/files/torch_file.h"
#include "models/plain_names.h"
#include "runner/app/suite.h"
#include "runner/app/torch/verbs.h"
#include "runner/inspect/torch/probes.h"

namespace auxbench {
namespace {

// A file with one tensor may call it what it likes.
SafeTensor sole_tensor(const std::filesystem::path& path, const std::string& name) {
  auto file = read_safetensors(path);
  if (const auto found = file.tensors.find(name); found != file.tensors.end()) return found->second;
  if (file.tensors.size() != 1)
    throw UserError(ExitCode::data_missing,
                    path.string() + ": no tensor named " + name + ", and more than one to choose from");
  return file.tensors.begin()->second;
}

SafeTensors inputs_of(const ProbeFiles& files) {
  SafeTensors in;
  in.tensors["input"] = sole_tensor(files.input, "input");
  if (!files.gradient.empty()) in.tensors["grad"] = sole_tensor(files.gradient, "grad");
  if (!files.labels.empty()) in.tensors["labels"] = sole_tensor(files.labels, "labels");
  return in;
}

void add_with_prefix(const SafeTensors& file, const std::string& prefix, SafeTensors& all) {
  for (const auto& [name, tensor] : file.tensors) all.tensors[prefix + name] = tensor;
}

// Names that carry no prefix, as in a finished cell's two files or in a checkpoint of others, get theirs.
SafeTensors weights_of(const CellSpec& cell, const ProbeFiles& files) {
  const std::string last = cell.task == "detection" ? "head.classification_head.cls_logits.weight" : "fc.weight";
  const auto own = "model." + last;
  const auto weights = plain_names(read_weights(files.weights), {last, own}, files.weights.string());
  const bool prefixed = weights.tensors.contains(own);
  SafeTensors all;
  add_with_prefix(weights, prefixed ? "" : "model.", all);
  if (!files.aux_weights.empty()) add_with_prefix(read_weights(files.aux_weights), "aux.", all);
  return all;
}

// By its name, with its digest where two have the same.
CellSpec find_cell(const Plan& plan, const std::string& name) {
  const PlannedCell* found = nullptr;
  for (const auto& cell : plan.cells) {
    if (cell.id != name && cell.slug != name) continue;
    if (found != nullptr)
      throw UserError(ExitCode::usage, name + ": more than one cell: " + found->id + " and " + cell.id);
    found = &cell;
  }
  if (found != nullptr) return found->spec;
  throw UserError(ExitCode::usage, name + ": no such cell in tier " + plan.tier + " (auxbench plan lists them)");
}

}  // namespace

ExitCode probe_quantizer(const QuantizerProbeArguments& arguments) {
  const auto role = arguments.role == "weight" ? Role::weight : Role::activation;
  const auto found =
      probe_quantizer(arguments.name, role, arguments.bits, arguments.settings, inputs_of(arguments.files));
  write_safetensors(arguments.files.out, found);
  return ExitCode::ok;
}

ExitCode probe_model(const ModelProbeArguments& arguments) {
  const ModelProbe probe = {.network = {.model = arguments.model,
                                        .skip = !arguments.plain,
                                        .stem = arguments.stem,
                                        .stem_stride = arguments.stem_stride,
                                        .width = arguments.width,
                                        .activation = arguments.activation,
                                        .quantize_at = arguments.quantize_at,
                                        .precision = {.quantizer = arguments.quantizer,
                                                      .weight_bits = arguments.weight_bits,
                                                      .activation_bits = arguments.activation_bits,
                                                      .first_last = arguments.first_last}},
                            .taps = arguments.taps};
  const auto& files = arguments.files;
  write_safetensors(files.out, probe_model(probe, read_weights(files.weights), inputs_of(files)));
  return ExitCode::ok;
}

ExitCode probe_detector(const DetectorProbeArguments& arguments) {
  DetectorProbe probe = {.model = arguments.model, .width = arguments.width, .detector = {}};
  probe.detector.flavour = arguments.flavour;
  probe.detector.heads = arguments.heads;
  probe.detector.norm = arguments.norm;
  probe.detector.tower = arguments.tower;
  const auto& files = arguments.files;
  write_safetensors(files.out, probe_detector(probe, read_weights(files.weights), read_safetensors(files.input)));
  return ExitCode::ok;
}

ExitCode probe_step(const StepProbeArguments& arguments) {
  const auto opened = open_suite(arguments.suite);
  const auto& files = arguments.files;
  const auto cell = find_cell(opened.plan, arguments.cell);
  // A detector's truth stands beside its images.
  const auto in = cell.task == "detection" ? read_safetensors(files.input) : inputs_of(files);
  write_safetensors(files.out, probe_step(cell, weights_of(cell, files), in, arguments.steps, arguments.float64));
  return ExitCode::ok;
}

}  // namespace auxbench
