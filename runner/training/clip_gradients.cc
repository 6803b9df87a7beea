#include "runner/training/clip_gradients.h"

#include "base/check.h"
#include "base/torch_prelude.h"

namespace auxbench {

void clip_gradients(const std::vector<at::Tensor>& parameters, double bound) {
  AUXBENCH_CHECK(bound > 0, "a bound above zero");
  const at::NoGradGuard no_gradient;
  std::vector<at::Tensor> gradients;
  for (const auto& parameter : parameters)
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  if (gradients.empty()) return;
  const auto norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)));
  const auto factor = norm.reciprocal().mul_(bound).clamp_max_(1);
  at::_foreach_mul_(gradients, factor);
}

}  // namespace auxbench
