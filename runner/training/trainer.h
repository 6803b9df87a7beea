// One stage of training of one cell, from wherever its checkpoint stands to its end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "results/record.h"
#include "runner/training/checkpoint.h"
#include "runner/training/code_shares.h"
#include "runner/training/evaluator.h"
#include "runner/training/experiment.h"
#include "runner/training/progress.h"

namespace auxbench {

struct TrainOutcome {
  Status status = Status::completed;  // completed | diverged | interrupted
  std::string reason;
  TrainingState state;
  std::optional<Evaluation> final;  // after the last epoch, when completed
  std::vector<LayerCodes> codes;    // of a quantized network, as it was evaluated last
};

// Curves, one value per evaluated epoch: "epoch" (a fraction where the stage's iterations end within one), "train_loss"
// (the task's, mean over the epoch), the methods' losses (mean over the steps that had them; the curve of one that ends
// before the training stops there) and the evaluation's metrics by their names.
// With `reestimate_norms` batch norms are re-estimated (norm_statistics.h) before the last evaluation.
// Diverged: a loss that is not finite or above 1e4; the reason names the step.
TrainOutcome train(Experiment& experiment, const Dataset& data, const CheckpointPolicy& checkpoints,
                   const std::string& cell_id, Progress& progress);

}  // namespace auxbench
