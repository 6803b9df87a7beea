// Checkpoint: everything a killed cell needs to end as if it had not been killed.
//
// One safetensors file, replaced atomically: the experiment's tensors and the optimiser's ("optimizer."), the rest
// as JSON in its metadata. Order, augmentation and schedule follow from seed and iteration, so that the iteration is
// the whole state of the sampler and of the random numbers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "runner/training/experiment.h"

namespace auxbench {

// Where a cell's checkpoint stands and how often it is written: at each epoch's end, on a signal, and between them
// whenever so many minutes have passed since the last one.
struct CheckpointPolicy {
  std::filesystem::path file;
  double minutes = 10;
};

struct TrainingState {
  int64_t iteration = 0;                       // steps done
  std::map<std::string, double> epoch_losses;  // by curve: sums over the steps of the unfinished epoch
  std::map<std::string, int64_t> epoch_steps;  // by curve: how many of these steps had the loss
  double train_seconds = 0;
  double evaluate_seconds = 0;
  double earlier_seconds = 0;  // the part of both that a run before this one spent; not stored
  std::map<std::string, std::vector<double>> curves;
};

void save_checkpoint(const std::filesystem::path& path, const std::string& cell_id, const Experiment& experiment,
                     const TrainingState& state);

// False when there is none, or only a part of one. A file of another cell, or a broken one, throws UserError.
bool load_checkpoint(const std::filesystem::path& path, const std::string& cell_id, Experiment& experiment,
                     TrainingState& state);

}  // namespace auxbench
