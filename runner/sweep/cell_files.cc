#include "runner/sweep/cell_files.h"

#include <set>

#include "base/error.h"
#include "base/files/file.h"
#include "base/torch_prelude.h"
#include "datasets/box_samples.h"
#include "models/detector_weights.h"
#include "quantizers/quantized_layers.h"

namespace auxbench {
namespace {

void write_tensors(const NamedTensors& tensors, const std::filesystem::path& file) {
  SafeTensors contents;
  store_tensors(tensors, contents);
  write_safetensors(file, contents);
}

// How a quantizer's tensor is called that the file has and this network has not: it was quantized otherwise.
bool of_another_quantizer(const std::string& name) {
  return name.find("_quantizer.") != std::string::npos || name.find("_activation.") != std::string::npos;
}

void load_others(const std::filesystem::path& path, NamedTensors targets, const std::set<std::string>& fitted_anew) {
  auto contents = as_detector_weights(read_safetensors(path), targets, path.string());
  std::erase_if(contents.tensors, [&](const auto& item) {
    return fitted_anew.contains(item.first) || (!targets.contains(item.first) && of_another_quantizer(item.first));
  });
  std::erase_if(targets, [&](const auto& item) { return fitted_anew.contains(item.first); });
  drop_counters_of_frozen_norms(contents, targets);
  load_tensors(contents, "", targets, path.string());
}

}  // namespace

void save_weights(const Experiment& experiment, const std::filesystem::path& folder) {
  write_tensors(tensors_under(experiment.tensors(), "model."), folder / kWeightsFile);
  const auto auxiliary = tensors_under(experiment.tensors(), kAuxiliaryPrefix);
  if (!auxiliary.empty()) write_tensors(auxiliary, folder / kAuxiliaryFile);
}

void save_outcomes(const Evaluation& evaluation, const std::filesystem::path& folder) {
  write_tensors(evaluation.outcomes, folder / kOutcomesFile);
}

void save_box_samples(const Evaluation& evaluation, const ImageSource& images, const std::filesystem::path& folder,
                      Record& record) {
  if (!images.boxed()) return;
  const auto found = evaluation.outcomes.at(evaluation.answers).to(at::kCPU, at::kFloat).contiguous();
  std::string samples;
  try {
    samples =
        dump_box_samples(take_box_samples(images, {found.const_data_ptr<float>(), static_cast<size_t>(found.numel())},
                                          static_cast<size_t>(found.size(1))));
  } catch (const UserError& error) {
    record.facts[kNoBoxSamples] = error.what();
    return;
  }
  write_file_atomically(folder / kBoxSamplesFile, samples);
}

void load_weights(const std::filesystem::path& path, const Experiment& experiment, const std::string& prefix) {
  std::set<std::string> fitted_anew;
  for (const auto& name : experiment.quantizer_tensors())
    if (name.starts_with(prefix)) fitted_anew.insert(name.substr(prefix.size()));
  load_others(path, tensors_under(experiment.tensors(), prefix), fitted_anew);
}

void load_weights(const std::filesystem::path& path, Network& teacher) {
  load_others(path, named_tensors(teacher.module()), quantizer_tensors(teacher.module()));
}

NamedTensors tensors_under(const NamedTensors& all, const std::string& prefix) {
  NamedTensors part;
  for (const auto& [name, tensor] : all)
    if (name.starts_with(prefix)) part[name.substr(prefix.size())] = tensor;
  return part;
}

}  // namespace auxbench
