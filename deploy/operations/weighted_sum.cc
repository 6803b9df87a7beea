#include "deploy/operations/weighted_sum.h"

#include <vector>

#include "deploy/onnx_writer.h"
#include "deploy/operations/row_step.h"
#include "kernels/combine/combine.h"

namespace auxbench {

WeightedSum::WeightedSum(size_t least_inputs, size_t most_inputs)
    : Operation({.least_inputs = least_inputs, .most_inputs = most_inputs, .arrays = kFactors}) {}

MapShape WeightedSum::shape(const StepInputs& inputs) const {
  if (inputs.step.factors.size() != inputs.step.inputs.size()) refuse_step(inputs.step, "a factor for each input");
  return {inputs.size(), inputs.value().channels};
}

std::unique_ptr<PreparedStep> WeightedSum::prepare(const StepMemory& memory) const {
  std::vector<combine::In> summands;
  for (size_t i = 0; i < memory.step().inputs.size(); ++i) summands.push_back(memory.in(i).floats);
  const auto to = memory.out_floats();
  return make_row_step(memory.batch * to.h, [summands = std::move(summands), &factors = memory.step().factors, to](
                                                int64_t first, int64_t last) {
    combine::weighted_sum_rows(summands, factors, to, first, last);
  });
}

void WeightedSum::write_onnx(const IntegerStep& step, OnnxWriter& writer) const {
  std::string sum;
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    const auto number = std::to_string(i);
    const auto summand =
        writer.with("Mul", writer.name(step.inputs[i]), step.factors[i], writer.label("summand" + number));
    sum = i == 0 ? summand : writer.graph().node("Add", {sum, summand}, writer.label("sum" + number));
  }
  writer.set_name(step.out_floats, sum);
}

const Operation& weighted_sum_operation() {
  static const WeightedSum kOperation(1, kMostInputs);
  return kOperation;
}

}  // namespace auxbench
