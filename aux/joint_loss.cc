#include "aux/joint_loss.h"

#include "base/torch_prelude.h"

namespace auxbench {

JointLoss joint_loss(Network& network, AuxiliaryModule* auxiliary, double weight, const at::Tensor& images,
                     const at::Tensor& labels) {
  const bool one_pass = auxiliary != nullptr && auxiliary->norms() == nullptr;
  auto output = network.forward(images, one_pass ? &auxiliary->taps() : nullptr);
  JointLoss result;
  result.logits = output.logits;
  result.loss = at::cross_entropy_loss(output.logits, labels);
  result.total = result.loss;
  if (auxiliary == nullptr) return result;
  if (!one_pass) output = network.forward(images, &auxiliary->taps(), auxiliary->norms());
  result.aux_logits = auxiliary->forward(output);
  result.aux_loss = at::cross_entropy_loss(result.aux_logits, labels);
  result.total = result.loss + weight * result.aux_loss;
  return result;
}

}  // namespace auxbench
