// A training batch as tensors where a cell computes.
#pragma once

#include <ATen/core/Tensor.h>

#include "datasets/loader.h"
#include "runner/experiment.h"

namespace auxbench {

struct Batch {
  at::Tensor images, labels;  // [N, C, H, W] of the options' type, [N] int64
};

// data: what the loader was made from.
Batch load_batch(EpochLoader& loader, const Dataset& data, int64_t epoch, int64_t index,
                 const ExperimentOptions& options);

}  // namespace auxbench
