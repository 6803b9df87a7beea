#include "aux/training_method.h"

#include "base/check.h"
#include "base/torch_prelude.h"

namespace auxbench {
namespace {

void check_scalar(const NamedLoss& loss, const std::string& owner) {
  const auto subject = owner + "'s loss " + loss.name + " to be a scalar of floating type, ";
  AUXBENCH_CHECK(loss.value.defined(), subject + "and it is undefined");
  AUXBENCH_CHECK(loss.value.dim() == 0, subject + "not of shape " + c10::str(loss.value.sizes()));
  AUXBENCH_CHECK(loss.value.is_floating_point(), subject + "not whole numbers");
}

}  // namespace

at::Tensor sum_of(const NamedLosses& losses, const std::string& owner) {
  at::Tensor sum;
  for (const auto& loss : losses) {
    check_scalar(loss, owner);
    const auto term = loss.weight == 1 ? loss.value : loss.weight * loss.value;
    sum = sum.defined() ? sum + term : term;
  }
  return sum;
}

void TrainingMethod::train(bool on) {
  if (auto* own = module()) own->train(on);
}

}  // namespace auxbench
