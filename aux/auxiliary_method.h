// The paper's training method: the auxiliary path over the network's taps with a head of the task's on its end.
//
//   L = L_task(F(x), y) + weight * L_task((F o H)(x), y)      (eq. 2 of the paper and its code: a plain sum, weight 1)
//
// With `until` the weight falls linearly, from `weight` at the start to 0 after that part of the training; from then on
// nothing of H is computed: no taps, no pass, no loss.
// With shared norms one pass through F serves both terms. With separate norms F o H is a second pass through F's
// weights with norms of its own; the quantizers' running state is the first pass's alone.
#pragma once

#include <optional>

#include "aux/auxiliary_path.h"
#include "aux/training_method.h"

namespace auxbench {

struct AuxiliaryMethodOptions {
  AuxiliaryOptions path;
  TapPlan taps;
  bool separate_norms = false;
  double weight = 1;
  std::optional<double> until = {};  // part of the training's steps, above 0; unset: the weight is constant
};

// Its module holds the path's tensors, the head's ("fc.weight" ...) and, where norms are separate, "norms.N". Draws
// weights from torch's default generator, the path's before the head's. Its loss is "aux_loss".
std::unique_ptr<TrainingMethod> make_auxiliary_method(const Network& network, const AuxiliaryMethodOptions& options,
                                                      const HeadMaker& make_head);

}  // namespace auxbench
