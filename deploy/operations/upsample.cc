#include "deploy/operations/upsample.h"

#include "deploy/onnx_writer.h"
#include "deploy/operations/row_step.h"
#include "kernels/upsampling/upsampling.h"

namespace auxbench {
namespace {

class Upsample final : public Operation {
 public:
  Upsample()
      : Operation({.least_inputs = 2,
                   .most_inputs = 2,
                   .reads = Traits::Reads::either,
                   .makes = Traits::Makes::as_inputs,
                   .last_for_size = true}) {}

  [[nodiscard]] MapShape shape(const StepInputs& inputs) const override {
    return {inputs.size(1), inputs.value().channels};
  }
  [[nodiscard]] std::unique_ptr<PreparedStep> prepare(const StepMemory& memory) const override {
    if (memory.step().out_codes != kNoValue) return rows_of(memory, memory.in().codes, memory.out_codes());
    return rows_of(memory, memory.in().floats, memory.out_floats());
  }
  // Resize has a scale of its own, to / from: the two rules agree where `to` is 2 from or 2 from - 1, as in a pyramid.
  void write_onnx(const IntegerStep& step, OnnxWriter& writer) const override {
    const bool codes = step.out_codes != kNoValue;
    const auto value = step.inputs.front(), made = codes ? step.out_codes : step.out_floats;
    const auto size = writer.size(made);
    auto& graph = writer.graph();
    // Batches of any size: the first two sizes are those of the input.
    const auto all =
        graph.node("Shape", {writer.name(value)}, writer.label("sizes.in"), {onnx::attribute("end", int64_t{2})});
    const onnx::Numbers wanted = {size.h, size.w};
    const auto rest = graph.constant<int64_t>(writer.label("sizes.map"), {2}, wanted);
    const auto sizes = graph.node("Concat", {all, rest}, writer.label("sizes"), {onnx::attribute("axis", int64_t{0})});
    writer.set_name(
        made, graph.node("Resize", {writer.name(value), "", "", sizes}, writer.label(codes ? "codes" : "upsampled"),
                         {onnx::attribute("mode", std::string("nearest")),
                          onnx::attribute("coordinate_transformation_mode", std::string("asymmetric")),
                          onnx::attribute("nearest_mode", std::string("floor"))}));
  }

 private:
  template <typename Map>
  static std::unique_ptr<PreparedStep> rows_of(const StepMemory& memory, const Map& in, const Map& to) {
    return make_row_step(memory.batch * to.h,
                         [in, to](int64_t first, int64_t last) { upsampling::nearest_rows(in, to, first, last); });
  }
};

}  // namespace

const Operation& upsample_operation() {
  static const Upsample kOperation;
  return kOperation;
}

}  // namespace auxbench
