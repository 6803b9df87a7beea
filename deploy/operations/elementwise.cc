#include "deploy/operations/elementwise.h"

#include "deploy/epilogue.h"
#include "deploy/onnx_writer.h"
#include "deploy/share.h"

namespace auxbench {
namespace {

class Prepared final : public PreparedStep {
 public:
  explicit Prepared(const StepMemory& memory)
      : in_(memory.in().floats),
        epilogue_(memory, memory.inputs.value().channels),
        rows_(memory.batch * in_.h),
        apply_(requantize::apply_rows_for(memory.isa)) {}

  void run(const RunContext& context) const override {
    share(context.threads, rows_,
          [this](int64_t first, int64_t last, int) { apply_(epilogue_.lines, in_, first, last); });
  }

 private:
  requantize::FloatMap<const float> in_;
  PreparedEpilogue epilogue_;
  int64_t rows_;
  requantize::ApplyRows apply_;
};

class Elementwise final : public Operation {
 public:
  Elementwise() : Operation({.makes = Traits::Makes::both, .arrays = kEpilogue}) {}

  [[nodiscard]] MapShape shape(const StepInputs& inputs) const override {
    return {inputs.size(), inputs.value().channels};
  }
  [[nodiscard]] std::unique_ptr<PreparedStep> prepare(const StepMemory& memory) const override {
    return std::make_unique<Prepared>(memory);
  }
  void write_onnx(const IntegerStep& step, OnnxWriter& writer) const override {
    writer.finish(step, writer.name(step.inputs.front()));
  }
};

}  // namespace

const Operation& elementwise_operation() {
  static const Elementwise kOperation;
  return kOperation;
}

}  // namespace auxbench
