#include "deploy/operations/image.h"

#include <algorithm>

#include "deploy/onnx_writer.h"
#include "deploy/share.h"

namespace auxbench {
namespace {

class Prepared final : public PreparedStep {
 public:
  explicit Prepared(const StepMemory& memory)
      : to_(memory.out_floats()), channels_(memory.inputs.network.channels), rows_(memory.batch * to_.h) {}

  void run(const RunContext& context) const override {
    share(context.threads, rows_, [&](int64_t first, int64_t last, int) {
      for (int64_t row = first; row < last; ++row) load(context.images, row);
    });
  }

 private:
  // Channels beyond the last get zeros: what memory held before could be numbers that are slow to compute with.
  void load(std::span<const float> images, int64_t row) const {
    const int64_t n = row / to_.h, y = row % to_.h;
    std::fill_n(to_.at(n, y, 0), to_.w * to_.pixel, 0.0F);
    for (int64_t c = 0; c < channels_; ++c) {
      const float* from = images.data() + ((n * channels_ + c) * to_.h + y) * to_.w;
      for (int64_t x = 0; x < to_.w; ++x) to_.at(n, y, x)[c] = from[x];
    }
  }

  requantize::FloatMap<float> to_;
  int64_t channels_, rows_;
};

class Image final : public Operation {
 public:
  Image() : Operation({.least_inputs = 0, .most_inputs = 0}) {}

  [[nodiscard]] MapShape shape(const StepInputs& inputs) const override {
    return {inputs.image, inputs.network.channels};
  }
  [[nodiscard]] std::unique_ptr<PreparedStep> prepare(const StepMemory& memory) const override {
    return std::make_unique<Prepared>(memory);
  }
  void write_onnx(const IntegerStep& step, OnnxWriter& writer) const override {
    writer.set_name(step.out_floats, OnnxWriter::kInput);
  }
};

}  // namespace

const Operation& image_operation() {
  static const Image kOperation;
  return kOperation;
}

}  // namespace auxbench
