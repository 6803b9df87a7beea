#include "runner/training/checkpoint.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files/whole_safetensors.h"

namespace auxbench {
namespace {

NamedTensors with_prefix(const NamedTensors& tensors, const std::string& prefix) {
  NamedTensors renamed;
  for (const auto& [name, tensor] : tensors) renamed[prefix + name] = tensor;
  return renamed;
}

NamedTensors whole_state(const Experiment& experiment) {
  auto all = experiment.tensors();
  all.merge(with_prefix(experiment.optimizer().state(), "optimizer."));
  return all;
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const std::string& cell_id, const Experiment& experiment,
                     const TrainingState& state) {
  SafeTensors contents;
  store_tensors(whole_state(experiment), contents);
  const nlohmann::json rest = {{"cell", cell_id},
                               {"iteration", state.iteration},
                               {"epoch_losses", state.epoch_losses},
                               {"epoch_steps", state.epoch_steps},
                               {"train_seconds", state.train_seconds},
                               {"evaluate_seconds", state.evaluate_seconds},
                               {"curves", state.curves}};
  contents.metadata["state"] = rest.dump();
  write_safetensors(path, contents);
}

bool load_checkpoint(const std::filesystem::path& path, const std::string& cell_id, Experiment& experiment,
                     TrainingState& state) {
  if (!is_whole_safetensors(path)) return false;
  const auto contents = read_safetensors(path);
  const auto found = contents.metadata.find("state");
  if (found == contents.metadata.end()) throw UserError(ExitCode::data_missing, path.string() + ": not a checkpoint");
  try {
    const auto rest = nlohmann::json::parse(found->second);
    if (rest.at("cell") != cell_id)
      throw UserError(ExitCode::data_missing,
                      path.string() + ": checkpoint of another cell, " + rest.at("cell").dump());
    state.iteration = rest.at("iteration");
    state.epoch_losses = rest.at("epoch_losses").get<std::map<std::string, double>>();
    // Checkpoints of before: a loss was there at every step.
    if (rest.contains("epoch_steps")) rest.at("epoch_steps").get_to(state.epoch_steps);
    state.train_seconds = rest.at("train_seconds");
    state.evaluate_seconds = rest.at("evaluate_seconds");
    state.earlier_seconds = state.train_seconds + state.evaluate_seconds;
    state.curves = rest.at("curves").get<std::map<std::string, std::vector<double>>>();
  } catch (const nlohmann::json::exception& error) {
    throw UserError(ExitCode::data_missing, path.string() + ": checkpoint state: " + error.what());
  }
  load_tensors(contents, "", whole_state(experiment), path.string());
  return true;
}

}  // namespace auxbench
