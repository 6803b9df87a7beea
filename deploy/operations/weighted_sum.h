// out = (factors[0] input_0 + factors[1] input_1) + ..  in floats, each product and each sum rounded once.
#pragma once

#include "deploy/operation.h"

namespace auxbench {

class WeightedSum : public Operation {
 public:
  WeightedSum(size_t least_inputs, size_t most_inputs);
  [[nodiscard]] MapShape shape(const StepInputs& inputs) const override;
  [[nodiscard]] std::unique_ptr<PreparedStep> prepare(const StepMemory& memory) const override;
  void write_onnx(const IntegerStep& step, OnnxWriter& writer) const override;
};

const Operation& weighted_sum_operation();

}  // namespace auxbench
