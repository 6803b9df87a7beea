#include "deploy/operations/mean.h"

#include "deploy/onnx_writer.h"
#include "deploy/operations/row_step.h"
#include "kernels/pooling/pooling.h"

namespace auxbench {
namespace {

class Mean final : public Operation {
 public:
  Mean() : Operation(Traits{}) {}

  [[nodiscard]] MapShape shape(const StepInputs& inputs) const override { return {{1, 1}, inputs.value().channels}; }
  [[nodiscard]] std::unique_ptr<PreparedStep> prepare(const StepMemory& memory) const override {
    return make_row_step(memory.batch, [in = memory.in().floats, to = memory.out_floats()](
                                           int64_t first, int64_t last) { pooling::mean_images(in, to, first, last); });
  }
  void write_onnx(const IntegerStep& step, OnnxWriter& writer) const override {
    auto& graph = writer.graph();
    const auto wide = graph.cast(writer.name(step.inputs.front()), onnx::Type::float64, writer.label("double"));
    const auto reduced =
        graph.node("ReduceMean", {wide}, writer.label("mean.double"),
                   {onnx::attribute("axes", onnx::Numbers{2, 3}), onnx::attribute("keepdims", int64_t{1})});
    writer.set_name(step.out_floats, graph.cast(reduced, onnx::Type::float32, writer.label("mean")));
  }
};

}  // namespace

const Operation& mean_operation() {
  static const Mean kOperation;
  return kOperation;
}

}  // namespace auxbench
