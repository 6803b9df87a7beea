// How a step of training is carried out: forward, backward, gradients of all processes, clipping, optimiser.
#pragma once

#include <memory>

#include "runner/training/experiment.h"
#include "runner/training/gradient_sync.h"

namespace auxbench {

class StepEngine {
 public:
  virtual ~StepEngine() = default;
  // One step at learning rate `lr`. The losses are those before the optimiser's step, with their graph gone; gradients
  // stay in the parameters until the next one.
  virtual JointLoss step(const TensorBatch& batch, double lr, const StepPosition& position = {}) = 0;
};

// Operator by operator. Experiment and sync must outlive it; the experiment trains (has an optimiser).
std::unique_ptr<StepEngine> make_eager_step(Experiment& experiment, GradientSync& sync = one_process());

}  // namespace auxbench
