#include "runner/sweep/cell_files.h"

#include "base/torch_prelude.h"

namespace auxbench {
namespace {

void write_tensors(const NamedTensors& tensors, const std::filesystem::path& file) {
  SafeTensors contents;
  store_tensors(tensors, contents);
  write_safetensors(file, contents);
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

void load_weights(const std::filesystem::path& path, NamedTensors targets) {
  auto contents = read_safetensors(path);
  std::erase_if(contents.tensors, [](const auto& item) { return is_quantizer_tensor(item.first); });
  std::erase_if(targets, [](const auto& item) { return is_quantizer_tensor(item.first); });
  load_tensors(contents, "", targets, path.string());
}

NamedTensors tensors_under(const NamedTensors& all, const std::string& prefix) {
  NamedTensors part;
  for (const auto& [name, tensor] : all)
    if (name.starts_with(prefix)) part[name.substr(prefix.size())] = tensor;
  return part;
}

}  // namespace auxbench
