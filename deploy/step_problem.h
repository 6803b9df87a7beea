// The convolution that a step is, as kernels describe it. For .cc files of this room.
#pragma once

#include "deploy/integer_network.h"
#include "kernels/lowbit_conv/lowbit_conv.h"

namespace auxbench {

// in, size: the step's input. A convolution of floats has the geometry alone: its bits stand for nothing.
inline lowbit_conv::Problem problem_of(const IntegerStep& step, const IntegerValue& in, ValueSize size, int64_t batch) {
  lowbit_conv::Problem problem = {.n = batch,
                                  .h = size.h,
                                  .w = size.w,
                                  .c = in.channels,
                                  .out = step.out,
                                  .r = step.r,
                                  .s = step.s,
                                  .stride = step.stride,
                                  .pad = step.pad,
                                  .weight_bits = step.weight_bits,
                                  .odd_weights = step.odd_weights,
                                  .activation_bits = 1};
  if (step.kind != IntegerStep::Kind::convolution) return problem;
  problem.activation_bits = in.codes.bits();
  problem.activation_step = in.codes.step;
  problem.activation_shift = in.codes.shift;
  return problem;
}

}  // namespace auxbench
