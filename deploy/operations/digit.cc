#include "deploy/operations/digit.h"

#include <vector>

#include "deploy/onnx_writer.h"
#include "deploy/operations/row_step.h"
#include "kernels/combine/combine.h"

namespace auxbench {
namespace {

constexpr int kCodes = 16;

class Digit final : public Operation {
 public:
  Digit() : Operation({.reads = Traits::Reads::codes, .makes = Traits::Makes::codes}) {}

  [[nodiscard]] MapShape shape(const StepInputs& inputs) const override {
    if (inputs.value().codes.largest >= kCodes) refuse_step(inputs.step, "digits of codes beyond 15");
    return {inputs.size(), inputs.value().channels};
  }
  [[nodiscard]] std::unique_ptr<PreparedStep> prepare(const StepMemory& memory) const override {
    const auto to = memory.out_codes();
    return make_row_step(memory.batch * to.h,
                         [in = memory.in().codes, mask = memory.step().digit_mask, to](int64_t first, int64_t last) {
                           combine::digit_rows(in, mask, to, first, last);
                         });
  }
  void write_onnx(const IntegerStep& step, OnnxWriter& writer) const override {
    std::vector<uint8_t> digits;
    for (int u = 0; u < kCodes; ++u) digits.push_back(static_cast<uint8_t>(step.digit_mask >> u & 1));
    auto& graph = writer.graph();
    const auto table = graph.constant<uint8_t>(writer.label("digits"), {kCodes}, digits);
    const auto index = graph.cast(writer.name(step.inputs.front()), onnx::Type::int64, writer.label("index"));
    writer.set_name(step.out_codes, graph.node("Gather", {table, index}, writer.label("codes")));
  }
};

}  // namespace

const Operation& digit_operation() {
  static const Digit kOperation;
  return kOperation;
}

}  // namespace auxbench
