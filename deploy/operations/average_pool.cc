#include "deploy/operations/average_pool.h"

#include "deploy/onnx_writer.h"
#include "deploy/operations/row_step.h"
#include "kernels/pooling/pooling.h"

namespace auxbench {
namespace {

class AveragePool final : public Operation {
 public:
  AveragePool() : Operation(Traits{}) {}

  [[nodiscard]] MapShape shape(const StepInputs& inputs) const override {
    const auto from = inputs.size();
    return {{(from.h + 1) / 2, (from.w + 1) / 2}, inputs.value().channels};
  }
  [[nodiscard]] std::unique_ptr<PreparedStep> prepare(const StepMemory& memory) const override {
    const auto to = memory.out_floats();
    return make_row_step(memory.batch * to.h, [in = memory.in().floats, to](int64_t first, int64_t last) {
      pooling::average_rows(in, to, first, last);
    });
  }
  void write_onnx(const IntegerStep& step, OnnxWriter& writer) const override {
    // Where a size is odd, what is left is averaged alone: padding that is not counted.
    const auto size = writer.size(step.inputs.front());
    auto attributes = onnx_window(2, 2, {0, 0, size.h % 2, size.w % 2});
    attributes.push_back(onnx::attribute("count_include_pad", int64_t{0}));
    writer.set_name(step.out_floats, writer.graph().node("AveragePool", {writer.name(step.inputs.front())},
                                                         writer.label("average"), attributes));
  }
};

}  // namespace

const Operation& average_pool_operation() {
  static const AveragePool kOperation;
  return kOperation;
}

}  // namespace auxbench
