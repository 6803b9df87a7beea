// The learning rate over one stage of training.
//
//   constant  lr
//   step      lr * gamma^(number of milestones passed), milestones in epochs, fractions allowed, or in iterations
//   cosine    lr / 2 (1 + cos(pi * progress)), progress from 0 to 1 over all iterations behind the warm-up
// Milestones and warm-up are counted as the stage is: in epochs, or in iterations. Over a warm-up of W iterations the rate rises linearly: iteration i < W takes (i + 1) / W of it (gradual warm-up,
// Goyal et al. 2017, arXiv 1706.02677, section 2.2); milestones count from the start of training all the same.
#pragma once

#include <cstdint>

#include "runner/plan/cell_spec.h"

namespace auxbench {

double learning_rate(const StageSpec& stage, int64_t iteration, int64_t iterations_per_epoch);

}  // namespace auxbench
