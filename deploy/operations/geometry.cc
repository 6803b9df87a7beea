#include "deploy/operations/geometry.h"

#include <algorithm>

namespace auxbench {

lowbit_conv::Problem geometry_of(const StepInputs& inputs, int64_t batch) {
  const auto& step = inputs.step;
  return {.n = batch,
          .h = inputs.size().h,
          .w = inputs.size().w,
          .c = inputs.value().channels,
          .out = step.out,
          .r = step.r,
          .s = step.s,
          .stride = step.stride,
          .pad = step.pad,
          .weight_bits = step.weight_bits,
          .odd_weights = step.odd_weights,
          .activation_bits = 1};
}

MapShape convolved(const StepInputs& inputs, const lowbit_conv::Problem& problem, int64_t weights) {
  const auto& step = inputs.step;
  if (const auto reason = lowbit_conv::why_not(problem); !reason.empty()) refuse_step(step, reason);
  if (weights != step.out * problem.taps()) refuse_step(step, "the wrong number of weights");
  const auto border_classes = [&](int64_t outputs) { return std::min(outputs, 2 * step.pad + 1); };
  if (border_classes(problem.out_h()) * border_classes(problem.out_w()) * step.out * step.r * step.s >
      kMostNumbersTogether)
    refuse_step(step, "too many ways in which its kernel meets a border");
  return {{problem.out_h(), problem.out_w()}, step.out};
}

int64_t convolution_macs(const StepInputs& inputs) { return geometry_of(inputs, /*batch=*/1).macs(); }

onnx::Attributes onnx_geometry(const IntegerStep& step) {
  return {onnx::attribute("kernel_shape", onnx::Numbers{step.r, step.s}),
          onnx::attribute("strides", onnx::Numbers{step.stride, step.stride}),
          onnx::attribute("pads", onnx::Numbers(4, step.pad))};
}

onnx::Numbers onnx_kernel_sizes(const IntegerStep& step, int64_t channels) {
  return {step.out, channels, step.r, step.s};
}

}  // namespace auxbench
