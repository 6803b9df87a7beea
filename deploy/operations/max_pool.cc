#include "deploy/operations/max_pool.h"

#include "deploy/onnx_writer.h"
#include "deploy/operations/row_step.h"
#include "kernels/pooling/pooling.h"

namespace auxbench {
namespace {

class MaxPool final : public Operation {
 public:
  MaxPool() : Operation({.reads = Traits::Reads::either, .makes = Traits::Makes::as_inputs}) {}

  [[nodiscard]] MapShape shape(const StepInputs& inputs) const override {
    const auto from = inputs.size();
    return {{(from.h + 1) / 2, (from.w + 1) / 2}, inputs.value().channels};
  }
  [[nodiscard]] std::unique_ptr<PreparedStep> prepare(const StepMemory& memory) const override {
    if (memory.step().out_codes != kNoValue) return rows_of(memory, memory.in().codes, memory.out_codes());
    return rows_of(memory, memory.in().floats, memory.out_floats());
  }
  void write_onnx(const IntegerStep& step, OnnxWriter& writer) const override {
    const bool codes = step.out_codes != kNoValue;
    writer.set_name(codes ? step.out_codes : step.out_floats,
                    writer.graph().node("MaxPool", {writer.name(step.inputs.front())},
                                        writer.label(codes ? "codes" : "max"), onnx_window(3, 2, {1, 1, 1, 1})));
  }

 private:
  template <typename Map>
  static std::unique_ptr<PreparedStep> rows_of(const StepMemory& memory, const Map& in, const Map& to) {
    return make_row_step(memory.batch * to.h,
                         [in, to](int64_t first, int64_t last) { pooling::max_rows(in, to, first, last); });
  }
};

}  // namespace

const Operation& max_pool_operation() {
  static const MaxPool kOperation;
  return kOperation;
}

}  // namespace auxbench
