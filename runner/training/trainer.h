// One stage of training of one cell, from wherever its checkpoint stands to its end.
#pragma once

#include <optional>
#include <string>

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
  std::optional<Evaluation> final;  // after the last epoch, when completed
};

// Curves, one value per evaluated epoch: "epoch", "train_loss" (the task's, mean over the epoch), the methods' losses
// and the evaluation's metrics by their names.
// Diverged: a loss that is not finite or above 1e4; the reason names the step.
TrainOutcome train(Experiment& experiment, const Dataset& data, const CheckpointPolicy& checkpoints,
                   const std::string& cell_id, Progress& progress);

}  // namespace auxbench
