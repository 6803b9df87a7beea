// What a training, or an evaluation, says in its record.
#pragma once

#include "datasets/dataset.h"
#include "results/record.h"
#include "runner/training/trainer.h"

namespace auxbench {

// Status, reason, curves, seconds, steps and images; of a completed one the metrics as well. Completed becomes
// mistrusted where the evaluation or the training loss agrees with "nothing was learned" (sign_of_chance).
void fill_record(const TrainOutcome& outcome, const Task& task, const Dataset& data, Record& record);

// Levels and real bits of the inner layers. Nothing at full precision.
void describe_precision(const Experiment& experiment, Record& record);

}  // namespace auxbench
