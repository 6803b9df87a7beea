// What follows the sums of a step, from its numbers to requantize::Epilogue. Torch-free.
#pragma once

#include <vector>

#include "deploy/operation.h"

namespace auxbench {

// Throws UserError where the step's encoder could give codes beyond 0 .. largest: kernels make room for no others.
void check_encoder(const IntegerStep& step, int32_t largest);

// The lines with all that they point to, for `channels` outputs; the operation adds what only its sums have.
struct PreparedEpilogue {
  PreparedEpilogue(const StepMemory& memory, int64_t channels);
  PreparedEpilogue(const PreparedEpilogue&) = delete;
  PreparedEpilogue& operator=(const PreparedEpilogue&) = delete;

  requantize::Epilogue lines{};

 private:
  requantize::Encoder encoder_of(const FrozenEncoder& frozen, int32_t steps);

  std::vector<float> scale_, alpha_, beta_, table_;
};

}  // namespace auxbench
