// The loss a network is trained with: its own, and that of the aids beside it.
//
//   L = CE(F(x), y) + weight * CE((F o H)(x), y)          (eq. 2 of the replicated paper and its code: a plain sum)
//       + the terms of other aids, which may also weigh CE(F) (training_aid.h)
//
// With shared norms one pass through F serves both terms. With separate norms F runs twice on the same weights.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "aux/auxiliary_module.h"
#include "aux/training_aid.h"
#include "models/network.h"

namespace auxbench {

struct JointLoss {
  at::Tensor logits;      // of F
  at::Tensor aux_logits;  // of F o H; undefined without the module
  at::Tensor loss;        // CE(F)
  at::Tensor aux_loss;    // CE(F o H), not weighted; undefined without the module
  at::Tensor aid_loss;    // the other aids' terms; undefined without any
  at::Tensor total;       // what is differentiated
};

struct LossParts {
  AuxiliaryModule* auxiliary = nullptr;  // null for the baseline
  double auxiliary_weight = 1;
  std::vector<TrainingAid*> aids;
};

// labels: [N] int64.
JointLoss joint_loss(Network& network, const LossParts& parts, const at::Tensor& images, const at::Tensor& labels,
                     const StepPosition& position = {});

}  // namespace auxbench
