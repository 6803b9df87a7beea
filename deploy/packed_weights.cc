#include "deploy/packed_weights.h"

namespace auxbench {

const std::byte* PackedWeights::codes(const IntegerStep& step, const lowbit_conv::Plan& plan) {
  const auto [found, is_new] = codes_.try_emplace({&step, plan.kernel()});
  if (is_new) found->second = plan.pack_weights(step.weights);
  return found->second.data();
}

const float* PackedWeights::floats(const IntegerStep& step, const float_conv::Shape& shape) {
  const auto [found, is_new] = floats_.try_emplace(&step);
  if (is_new) found->second = float_conv::pack(shape, step.float_weights);
  return found->second.data();
}

}  // namespace auxbench
