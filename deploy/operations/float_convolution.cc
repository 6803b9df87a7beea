#include "deploy/operations/float_convolution.h"

#include "deploy/epilogue.h"
#include "deploy/operations/geometry.h"
#include "deploy/packed_weights.h"
#include "deploy/share.h"

namespace auxbench {
namespace {

class Prepared final : public PreparedStep {
 public:
  Prepared(const StepMemory& memory, ValueSize made)
      : shape_({.c = memory.inputs.value().channels,
                .out = memory.step().out,
                .r = memory.step().r,
                .s = memory.step().s,
                .stride = memory.step().stride,
                .pad = memory.step().pad}),
        in_(memory.in().floats),
        sums_({.data = reinterpret_cast<float*>(memory.scratch),
               .h = made.h,
               .w = made.w,
               .pixel = requantize::padded_channels(memory.step().out)}),
        weights_(memory.packed.floats(memory.weights(), shape_)),
        epilogue_(memory, memory.step().out),
        rows_(memory.batch * made.h),
        convolve_(float_conv::rows_for(memory.isa)),
        apply_(requantize::apply_rows_for(memory.isa)) {}

  void run(const RunContext& context) const override {
    share(context.threads, rows_, [this](int64_t first, int64_t last, int) {
      convolve_(shape_, in_, weights_, sums_, first, last);
      apply_(epilogue_.lines, sums_, first, last);
    });
  }

 private:
  float_conv::Shape shape_;
  requantize::FloatMap<const float> in_;
  requantize::FloatMap<float> sums_;
  const float* weights_;
  PreparedEpilogue epilogue_;
  int64_t rows_;
  float_conv::Rows convolve_;
  requantize::ApplyRows apply_;
};

class FloatConvolution final : public Operation {
 public:
  FloatConvolution() : Operation({.makes = Traits::Makes::both, .arrays = kFloatWeights | kEpilogue}) {}

  [[nodiscard]] MapShape shape(const StepInputs& inputs) const override {
    return convolved(inputs, geometry_of(inputs, /*batch=*/1),
                     std::ssize(inputs.network.weights_of(inputs.step).float_weights));
  }
  [[nodiscard]] int64_t macs(const StepInputs& inputs) const override { return convolution_macs(inputs); }
  // The sums, before what follows.
  [[nodiscard]] size_t scratch_bytes(const StepInputs& inputs, int64_t batch) const override {
    const auto made = shape(inputs);
    return static_cast<size_t>(batch * made.size.h * made.size.w * requantize::padded_channels(made.channels)) *
           sizeof(float);
  }
  [[nodiscard]] std::unique_ptr<PreparedStep> prepare(const StepMemory& memory) const override {
    return std::make_unique<Prepared>(memory, shape(memory.inputs).size);
  }

  void write_onnx(const IntegerStep& step, OnnxWriter& writer) const override {
    const auto in = step.inputs.front();
    const auto& holder = writer.weights_of(step);
    const auto kernel = writer.once(holder, [&] {
      const auto weights = in_onnx_order<float>(holder, holder.float_weights, [](float w) { return w; });
      return writer.graph().constant<float>(writer.label("weights"),
                                            onnx_kernel_sizes(holder, writer.value(in).channels), weights);
    });
    writer.note_convolution("float32");
    writer.finish(step,
                  writer.graph().node("Conv", {writer.name(in), kernel}, writer.label("sums"), onnx_geometry(step)));
  }
};

}  // namespace

const Operation& float_convolution_operation() {
  static const FloatConvolution kOperation;
  return kOperation;
}

}  // namespace auxbench
