// What convolutions of codes and of floats have in common: their geometry.
#pragma once

#include <vector>

#include "deploy/onnx_writer.h"
#include "deploy/operation.h"

namespace auxbench {

// The step's convolution; how codes and weights are coded stands for nothing yet.
lowbit_conv::Problem geometry_of(const StepInputs& inputs, int64_t batch);

// What comes out. Throws UserError where kernels cannot compute the problem, or `weights` are not as many as it has.
MapShape convolved(const StepInputs& inputs, const lowbit_conv::Problem& problem, int64_t weights);

int64_t convolution_macs(const StepInputs& inputs);

// For ONNX: attributes, sizes of the kernel, and weights from [out][r][s][c] to [out][c][r][s], each number through
// `convert`.
onnx::Attributes onnx_geometry(const IntegerStep& step);
onnx::Numbers onnx_kernel_sizes(const IntegerStep& step, int64_t channels);

template <typename To, typename From, typename Convert>
std::vector<To> in_onnx_order(const IntegerStep& step, const std::vector<From>& weights, const Convert& convert) {
  const int64_t taps = step.r * step.s, channels = std::ssize(weights) / (step.out * taps);
  std::vector<To> moved;
  moved.reserve(weights.size());
  for (int64_t o = 0; o < step.out; ++o)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t tap = 0; tap < taps; ++tap)
        moved.push_back(convert(weights[static_cast<size_t>((o * taps + tap) * channels + c)]));
  return moved;
}

}  // namespace auxbench
