#include "aux/joint_loss.h"

#include <algorithm>

#include "base/torch_prelude.h"

namespace auxbench {

JointLoss joint_loss(Network& network, const LossParts& parts, const at::Tensor& images, const at::Tensor& labels,
                     const StepPosition& position) {
  for (auto* aid : parts.aids) aid->prepare(network, position);
  auto* auxiliary = parts.auxiliary;
  const bool one_pass = auxiliary != nullptr && auxiliary->norms() == nullptr;
  const bool blocks = std::any_of(parts.aids.begin(), parts.aids.end(), [](auto* aid) { return aid->reads_blocks(); });
  const TapPlan plain;
  const TapPlan* taps = one_pass ? &auxiliary->taps() : (blocks ? &plain : nullptr);
  const auto output = network.forward(images, taps);
  JointLoss result;
  result.logits = output.logits;
  result.loss = at::cross_entropy_loss(output.logits, labels);
  result.total = result.loss;
  for (auto* aid : parts.aids)
    if (aid->own_loss_weight() != 1) result.total = result.total * aid->own_loss_weight();
  if (auxiliary != nullptr) {
    result.aux_logits =
        auxiliary->forward(one_pass ? output : network.forward(images, &auxiliary->taps(), auxiliary->norms()));
    result.aux_loss = at::cross_entropy_loss(result.aux_logits, labels);
    result.total = result.total + parts.auxiliary_weight * result.aux_loss;
  }
  for (auto* aid : parts.aids) {
    const auto term = aid->loss({.images = images, .labels = labels, .output = output});
    if (!term.defined()) continue;
    result.aid_loss = result.aid_loss.defined() ? result.aid_loss + term : term;
    result.total = result.total + term;
  }
  return result;
}

}  // namespace auxbench
