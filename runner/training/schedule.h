// The learning rate over one stage of training.
//
//   constant  lr
//   step      lr * gamma^(number of milestones passed), milestones in epochs, fractions allowed
//   cosine    lr / 2 (1 + cos(pi * progress)), progress from 0 to 1 over all iterations
#pragma once

#include <cstdint>

#include "runner/plan/cell_spec.h"

namespace auxbench {

double learning_rate(const StageSpec& stage, int64_t iteration, int64_t iterations_per_epoch);

}  // namespace auxbench
