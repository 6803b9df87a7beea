// What trains beside a network: the contract of the auxiliary module's rivals. None of it is left at inference.
//
// A step asks each aid in turn: prepare() before the network runs, loss() afterwards. The loss that is differentiated
// is
//   product of own_loss_weight() * CE(F) + weight * CE(F o H) + sum of the aids' losses          (joint_loss.h)
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "models/network.h"

namespace auxbench {

// Where in the training a step is.
struct StepPosition {
  int64_t iteration = 0;
  int64_t total = 1;
};

struct AidInput {
  const at::Tensor& images;
  const at::Tensor& labels;
  const NetworkOutput& output;  // of the network, with blocks
};

class TrainingAid {
 public:
  virtual ~TrainingAid() = default;

  // Before the forward pass.
  virtual void prepare(Network& /*network*/, const StepPosition& /*position*/) {}

  // Its term of the loss; undefined when it has none.
  virtual at::Tensor loss(const AidInput& /*input*/) { return {}; }

  [[nodiscard]] virtual bool reads_blocks() const { return false; }
  [[nodiscard]] virtual double own_loss_weight() const { return 1; }

  // Its tensors, saved with the cell's; parameters that require a gradient are trained. Null when it has none.
  virtual torch::nn::Module* module() { return nullptr; }
  virtual void train(bool /*on*/) {}

  // The network whose weights are to be a trained full-precision network's; null when there is none.
  virtual Network* teacher() { return nullptr; }
};

}  // namespace auxbench
