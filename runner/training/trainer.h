// One stage of training of one cell, from wherever its checkpoint stands to its end.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "results/record.h"
#include "runner/training/checkpoint.h"
#include "runner/training/evaluator.h"
#include "runner/training/experiment.h"
#include "runner/training/progress.h"

namespace auxbench {

struct TrainOutcome {
  Status status = Status::completed;  // completed | diverged | interrupted
  std::string reason;
  TrainingState state;
  Evaluation final;  // after the last epoch, when completed
};

// Curves, one value per evaluated epoch: "epoch", "train_loss", "aux_loss" (with H), "top1", "top5".
// Checkpoints at each epoch's end and on a signal. Diverged: a loss that is not finite or above 1e4; the reason names
// the step.
TrainOutcome train(Experiment& experiment, const Dataset& data, const std::filesystem::path& checkpoint,
                   const std::string& cell_id, Progress& progress);

}  // namespace auxbench
