// Batches as tensors where a cell computes.
#pragma once

#include <ATen/core/Tensor.h>

#include "datasets/sources/loader.h"
#include "runner/training/experiment.h"

namespace auxbench {

struct TensorBatch {
  at::Tensor images, labels;  // [N, C, H, W] of the experiment's type, [N] int64
};

// A BatchLoader (datasets/sources/loader.h) whose batches are tensors. For a GPU they are made in pinned memory and copied
// while it computes. Unless the options say how many workers: none for images in memory on the CPU, where they would
// only take time from the network; else one for each thread this process has.
class TensorLoader {
 public:
  TensorLoader(Images images, LoaderOptions options, const ExperimentOptions& where);

  [[nodiscard]] int64_t batches() const { return loader_.batches(); }
  TensorBatch take(int64_t epoch, int64_t batch_index);

 private:
  ExperimentOptions where_;
  BatchLoader loader_;
};

}  // namespace auxbench
