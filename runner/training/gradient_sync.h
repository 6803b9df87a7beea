// Between backward and the optimiser: one training of several processes brings its gradients together here.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace auxbench {

class GradientSync {
 public:
  virtual ~GradientSync() = default;
  // Called once a step with all parameters that train, in the same order on every process: replaces each gradient by
  // the mean over processes. A parameter without a gradient here has none anywhere.
  virtual void average(const std::vector<at::Tensor>& parameters) = 0;
};

// A training of one process: every gradient is the mean already.
GradientSync& one_process();

}  // namespace auxbench
