#include "deploy/operations/convolution.h"

#include <algorithm>
#include <optional>
#include <span>

#include "deploy/epilogue.h"
#include "deploy/operations/geometry.h"
#include "deploy/packed_weights.h"
#include "deploy/share.h"

namespace auxbench {
namespace {

lowbit_conv::Problem problem_of(const StepInputs& inputs, int64_t batch) {
  auto problem = geometry_of(inputs, batch);
  const auto& codes = inputs.value().codes;
  problem.activation_bits = codes.bits();
  problem.activation_step = codes.step;
  problem.activation_shift = codes.shift;
  return problem;
}

class Prepared final : public PreparedStep {
 public:
  explicit Prepared(const StepMemory& memory)
      : name_(memory.step().name), in_(memory.in().codes), epilogue_(memory, memory.step().out) {
    const auto& step = memory.step();
    auto problem = problem_of(memory.inputs, memory.batch);
    problem.threads = memory.threads;
    plan_ = lowbit_conv::make_plan(problem, memory.isa);
    const auto& holder = memory.weights();
    weights_ = memory.packed.codes(holder, *plan_);
    const auto tables = plan_->pack_tables(holder.weights);
    tables_ = lowbit_conv::Buffer(tables.size());
    std::copy(tables.begin(), tables.end(), tables_.data());
    if (!step.offset_scale.empty()) add_offsets(step, holder.weights, problem);
    if (step.out_codes != kNoValue)
      requantize::simplify(epilogue_.lines, static_cast<int32_t>(problem.bound()), simpler_);
    apply_ = requantize::apply_for(memory.isa);
  }

  void run(const RunContext& context) const override {
    for (int phase = 0; phase < plan_->phases(); ++phase)
      share(context.threads, plan_->tasks(phase), [&](int64_t first, int64_t last, int thread) {
        plan_->execute(phase, first, last,
                       {.in = in_,
                        .packed = tables_.data(),
                        .weights = weights_,
                        .shared = context.shared,
                        .own = context.own[static_cast<size_t>(thread)].data(),
                        .sink = apply_,
                        .epilogue = &epilogue_.lines});
      });
  }
  [[nodiscard]] size_t shared_bytes() const override { return plan_->shared_bytes(); }
  [[nodiscard]] size_t own_bytes() const override { return plan_->own_bytes(); }
  [[nodiscard]] std::string plan() const override {
    return name_ + ": " + plan_->kernel() + " (" + plan_->reason() + ")";
  }

 private:
  // The sum of the weights of the taps inside, times the offset's scale, for each border class.
  void add_offsets(const IntegerStep& step, const std::vector<int8_t>& weights, const lowbit_conv::Problem& p) {
    auto inside = lowbit_conv::border_sums(p, weights);
    const int64_t stride = requantize::padded_channels(p.out);
    row_class_ = std::move(inside.rows);
    column_class_ = std::move(inside.columns);
    class_terms_.assign(static_cast<size_t>(inside.classes * stride), 0);
    for (int64_t k = 0; k < inside.classes; ++k)
      for (int64_t o = 0; o < p.out; ++o)
        class_terms_[static_cast<size_t>(k * stride + o)] =
            static_cast<float>(inside.sums[static_cast<size_t>(k * p.out + o)]) *
            step.offset_scale[static_cast<size_t>(o)];
    auto& lines = epilogue_.lines;
    lines.class_terms = class_terms_.data();
    lines.row_class = row_class_.data();
    lines.column_class = column_class_.data();
    lines.column_classes = static_cast<int32_t>(inside.column_classes);
  }

  std::string name_;
  requantize::CodeMap<const uint8_t> in_;
  PreparedEpilogue epilogue_;
  std::optional<lowbit_conv::Plan> plan_;
  const std::byte* weights_ = nullptr;
  lowbit_conv::Buffer tables_;
  requantize::Simpler simpler_;
  requantize::Apply apply_ = nullptr;
  std::vector<float> class_terms_;
  std::vector<uint8_t> row_class_, column_class_;
};

// The weights of the step that holds them, as floats that are whole numbers.
std::string weight_numbers(const IntegerStep& step, OnnxWriter& writer) {
  const auto value = [&](int8_t code) { return step.odd_weights ? 2 * code + 1 : code; };
  const auto sizes = onnx_kernel_sizes(step, writer.value(step.inputs.front()).channels);
  const auto weights = in_onnx_order<int32_t>(step, step.weights, value);
  const auto [lowest, highest] = std::minmax_element(weights.begin(), weights.end());
  if (*lowest < -128 || *highest > 127) {
    const auto kernel = writer.graph().constant<int32_t>(writer.label("weights"), sizes, weights);
    return writer.dequantize(kernel, onnx::Type::int32, 1, writer.label("weights.numbers"));
  }
  const std::vector<int8_t> narrow =
      in_onnx_order<int8_t>(step, step.weights, [&](int8_t code) { return static_cast<int8_t>(value(code)); });
  const auto kernel = writer.graph().constant<int8_t>(writer.label("weights"), sizes, narrow);
  return writer.dequantize(kernel, onnx::Type::int8, 1, writer.label("weights.numbers"));
}

// Whether float32 holds every sum of products, and every sum on the way to it.
bool sums_are_exact(const IntegerStep& holder, const CodeMeaning& codes) {
  const int64_t largest = std::max(std::abs(codes.shift), std::abs(codes.step * codes.largest + codes.shift));
  const auto taps = static_cast<size_t>(std::ssize(holder.weights) / holder.out);
  for (size_t first = 0; first < holder.weights.size(); first += taps) {
    int64_t sum = 0;
    for (const int code : std::span(holder.weights).subspan(first, taps))
      sum += std::abs(holder.odd_weights ? 2 * code + 1 : code) * std::max<int64_t>(1, largest);
    if (sum > int64_t{1} << 24) return false;
  }
  return true;
}

// What stands at each pixel is the sum of the weights that are inside the image there.
std::string offset_terms(const IntegerStep& step, const std::string& kernel, OnnxWriter& writer) {
  auto& graph = writer.graph();
  const auto label = [&](const char* what) { return writer.label(what); };
  const auto size = writer.size(step.inputs.front());
  const onnx::Numbers axes = {1}, shape = {1, 1, size.h, size.w};
  const auto axis = graph.constant<int64_t>(label("offset.axes"), {1}, axes);
  const auto summed = graph.node("ReduceSum", {kernel, axis}, label("offset.weights"));
  const auto map = graph.constant<int64_t>(label("offset.shape"), {4}, shape);
  const auto zeros = graph.node("ConstantOfShape", {map}, label("offset.zeros"));
  const auto ones = writer.with("Add", zeros, 1.0F, label("offset.ones"));
  const auto inside = graph.node("Conv", {ones, summed}, label("offset.inside"), onnx_geometry(step));
  return writer.with("Mul", inside, step.offset_scale, label("offset.terms"));
}

class Convolution final : public Operation {
 public:
  Convolution()
      : Operation({.reads = Traits::Reads::codes, .makes = Traits::Makes::both, .arrays = kCodeWeights | kEpilogue}) {}

  [[nodiscard]] MapShape shape(const StepInputs& inputs) const override {
    const auto& step = inputs.step;
    const auto made =
        convolved(inputs, problem_of(inputs, /*batch=*/1), std::ssize(inputs.network.weights_of(step).weights));
    if (step.scale.empty()) refuse_step(step, "no scale");
    const auto in = inputs.size();
    check_map(step, {in.h + 2 * step.pad, in.w + 2 * step.pad}, inputs.value().channels);
    return made;
  }
  [[nodiscard]] int64_t macs(const StepInputs& inputs) const override { return convolution_macs(inputs); }
  [[nodiscard]] int64_t border(const IntegerStep& step) const override { return step.pad; }
  [[nodiscard]] std::unique_ptr<PreparedStep> prepare(const StepMemory& memory) const override {
    return std::make_unique<Prepared>(memory);
  }

  void write_onnx(const IntegerStep& step, OnnxWriter& writer) const override {
    const auto in = step.inputs.front();
    const auto& holder = writer.weights_of(step);
    const auto kernel = writer.once(holder, [&] { return weight_numbers(holder, writer); });
    writer.note_convolution(sums_are_exact(holder, writer.value(in).codes) ? "exact" : "float32");
    auto v = writer.graph().node("Conv", {writer.whole_numbers(in), kernel}, writer.label("sums"), onnx_geometry(step));
    // in_double is for sums that are no floats; here they are, and then one product rounds as the other.
    v = writer.with("Mul", v, step.scale, writer.label("scaled"));
    if (step.partial != kNoValue)
      v = writer.graph().node("Add", {writer.name(step.partial), v}, writer.label("joined"));
    if (!step.offset_scale.empty())
      v = writer.graph().node("Add", {v, offset_terms(step, kernel, writer)}, writer.label("offset"));
    if (step.relu_first) v = writer.graph().node("Relu", {v}, writer.label("relu"));
    writer.finish(step, v);
  }
};

}  // namespace

const Operation& convolution_operation() {
  static const Convolution kOperation;
  return kOperation;
}

}  // namespace auxbench
