// The loss a network is trained with: its task's, and the terms of the training methods beside it (training_method.h).
//
// The taps that methods ask for are handed out by one pass through the network; a method with norms of its own gets a
// second pass, in which the network's quantizers keep their state as the first pass left it.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "aux/training_method.h"
#include "models/network.h"

namespace auxbench {

struct JointLoss {
  at::Tensor logits;                // of the network: a classifier's,
  std::vector<LevelOutput> levels;  // or a detector's output
  at::Tensor task;                  // the task's loss of them, before a method weighs it
  NamedLosses methods;              // the methods' terms
  at::Tensor total;                 // what is differentiated
};

// images [N, C, H, W]. Throws UserError when a method asks for taps that the network does not hand out, or two methods
// ask one pass for different ones; LogicFault for a task without a loss and for losses that are no scalars.
JointLoss joint_loss(Network& network, const std::vector<TrainingMethod*>& methods, const TaskLoss& task_loss,
                     const at::Tensor& images, const StepPosition& position = {});

}  // namespace auxbench
