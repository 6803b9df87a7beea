// Training throughput of one network on random images: the measuring half of scripts/bench-training and
// scripts/gpu-check.
#pragma once

#include <c10/core/Device.h>

#include <string>
#include <vector>

#include "runner/plan/cell_spec.h"

namespace auxbench {

struct TrainingSpeed {
  std::vector<double> step_seconds;  // one per timed step, in order
};

// Forward, backward and optimiser step on one batch of `image` x `image` pixels, the same for every step: random pixels,
// with random labels or regular_boxes.h's boxes, as the cell's task wants.
TrainingSpeed measure_training(const CellSpec& cell, int image, int channels, int classes, int steps,
                               c10::Device device);

}  // namespace auxbench
