#include "deploy/executor.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "base/error.h"
#include "deploy/affine_encoder.h"
#include "deploy/share.h"
#include "deploy/step_problem.h"
#include "kernels/combine/combine.h"
#include "kernels/float_conv/float_conv.h"
#include "kernels/pooling/pooling.h"

namespace auxbench {
namespace {

using Kind = IntegerStep::Kind;
using lowbit_conv::Buffer;
using requantize::CodeMap;
using requantize::Encoder;
using requantize::Epilogue;
using requantize::FloatMap;

// A value's place in memory.
struct Place {
  FloatMap<float> floats;
  CodeMap<uint8_t> codes;

  [[nodiscard]] FloatMap<const float> read_floats() const {
    return {.data = floats.data, .h = floats.h, .w = floats.w, .pixel = floats.pixel};
  }
  [[nodiscard]] CodeMap<const uint8_t> read_codes() const {
    return {.data = codes.data, .h = codes.h, .w = codes.w, .border = codes.border, .pixel = codes.pixel};
  }
};

// A step with everything its kernels want, owned here.
struct Prepared {
  const IntegerStep* step = nullptr;
  ValueSize size;
  Epilogue epilogue{};
  requantize::Apply apply = nullptr;

  std::optional<lowbit_conv::Plan> plan;
  Buffer packed;
  requantize::Simpler simpler;
  std::vector<float> scale, alpha, beta, table, class_terms;
  std::vector<uint8_t> row_class, column_class;

  float_conv::Shape float_shape{};
  std::vector<double> float_weights;
  FloatMap<float> scratch;  // of a float convolution, before what follows
  std::vector<combine::In> summands;
};

std::vector<float> padded(const std::vector<float>& numbers) {
  auto result = numbers;
  result.resize(static_cast<size_t>(requantize::padded_channels(std::ssize(numbers))));
  return result;
}

const float* or_null(const std::vector<float>& numbers) { return numbers.empty() ? nullptr : numbers.data(); }

// Memory for values: used again once no later step reads what is in it.
class Memory {
 public:
  std::byte* take(size_t bytes, const std::string& kind) {
    for (auto& block : blocks_)
      if (block.free && block.buffer.size() == bytes && block.kind == kind) {
        block.free = false;
        return block.buffer.data();
      }
    blocks_.push_back({.buffer = Buffer(bytes), .kind = kind, .free = false});
    return blocks_.back().buffer.data();
  }
  void give_back(const void* data) {
    for (auto& block : blocks_)
      if (block.buffer.data() == data) block.free = true;
  }

 private:
  struct Block {
    Buffer buffer;
    std::string kind;
    bool free = false;
  };
  std::vector<Block> blocks_;
};

}  // namespace

struct Executor::Parts {
  const IntegerNetwork& network;
  ExecutorOptions options;
  Isa isa;
  std::vector<ValueSize> sizes;
  std::vector<Place> places;
  std::vector<Prepared> steps;
  Memory memory;
  Buffer shared;
  std::vector<Buffer> own;
  std::vector<float> logits;

  Parts(const IntegerNetwork& net, const ExecutorOptions& chosen, const Isa& processor)
      : network(net), options(chosen), isa(processor), sizes(value_sizes(net)), places(net.values.size()) {
    AUXBENCH_CHECK(options.batch > 0 && options.threads > 0, "at least one image and one thread");
    const auto last_reads = find_last_reads();
    steps.reserve(network.steps.size());
    for (size_t i = 0; i < network.steps.size(); ++i) {
      prepare(network.steps[i]);
      if (options.keep_values) continue;
      for (size_t value = 0; value < places.size(); ++value)
        if (last_reads[value] == i) release(value);
      memory.give_back(steps.back().scratch.data);
    }
    make_workspaces();
    logits.resize(static_cast<size_t>(options.batch * network.classes));
  }

  // The step that reads a value last; the logits are read after all.
  [[nodiscard]] std::vector<size_t> find_last_reads() const {
    std::vector<size_t> last(network.values.size(), kNoValue);
    for (size_t i = 0; i < network.steps.size(); ++i) {
      const auto& step = network.steps[i];
      for (const auto made : {step.out_floats, step.out_codes})
        if (made != kNoValue) last[made] = i;
      for (const auto input : step.inputs) last[input] = i;
      for (const auto extra : {step.partial, step.residual})
        if (extra != kNoValue) last[extra] = i;
    }
    last[network.logits] = kNoValue;
    return last;
  }

  void release(size_t value) {
    const auto& place = places[value];
    if (place.floats.data != nullptr) memory.give_back(place.floats.data);
    if (place.codes.data != nullptr) memory.give_back(place.codes.data);
  }

  FloatMap<float> new_floats(int64_t channels, ValueSize size) {
    FloatMap<float> map = {.h = size.h, .w = size.w, .pixel = requantize::padded_channels(channels)};
    const auto bytes = static_cast<size_t>(options.batch * map.h * map.w * map.pixel) * sizeof(float);
    map.data = reinterpret_cast<float*>(memory.take(bytes, "floats"));
    return map;
  }

  // The border is as wide as the widest reader's padding and written once: writers leave it alone.
  CodeMap<uint8_t> new_codes(size_t index) {
    const auto& value = network.values[index];
    lowbit_conv::Problem reader = {.activation_bits = value.codes.bits(),
                                   .activation_step = value.codes.step,
                                   .activation_shift = value.codes.shift};
    int64_t border = 0;
    for (const auto& step : network.steps) {
      const bool reads = std::find(step.inputs.begin(), step.inputs.end(), index) != step.inputs.end();
      if (!reads) continue;
      if (step.kind == Kind::convolution) border = std::max(border, step.pad);
    }
    CodeMap<uint8_t> map = {
        .h = sizes[index].h, .w = sizes[index].w, .border = border, .pixel = lowbit_conv::usual_pixel(value.channels)};
    const auto bytes = static_cast<size_t>(options.batch * map.image() + requantize::kSlack);
    const auto code = reader.border_code();
    const auto kind = "codes " + std::to_string(map.h) + " " + std::to_string(map.w) + " " + std::to_string(border) +
                      " " + std::to_string(map.pixel) + " " + std::to_string(code);
    map.data = reinterpret_cast<uint8_t*>(memory.take(bytes, kind));
    std::memset(map.data, code, bytes);
    return map;
  }

  void prepare(const IntegerStep& step) {
    auto& prepared = steps.emplace_back();
    prepared.step = &step;
    if (step.out_floats != kNoValue) {
      prepared.size = sizes[step.out_floats];
      places[step.out_floats].floats = new_floats(network.values[step.out_floats].channels, prepared.size);
    }
    if (step.out_codes != kNoValue) {
      prepared.size = sizes[step.out_codes];
      places[step.out_codes].codes = new_codes(step.out_codes);
    }
    switch (step.kind) {
      case Kind::convolution:
        return prepare_convolution(prepared);
      case Kind::float_convolution:
        return prepare_float_convolution(prepared);
      case Kind::elementwise:
        return prepare_epilogue(prepared, network.values[step.inputs.front()].channels);
      case Kind::weighted_sum:
      case Kind::blend:
        for (const auto input : step.inputs) prepared.summands.push_back(places[input].read_floats());
        return;
      default:
        return;
    }
  }

  void prepare_epilogue(Prepared& prepared, int64_t channels) {
    const auto& step = *prepared.step;
    auto& epilogue = prepared.epilogue;
    prepared.scale = padded(step.scale);
    prepared.alpha = padded(step.alpha);
    prepared.beta = padded(step.beta);
    epilogue.channels = channels;
    epilogue.scale = or_null(prepared.scale);
    epilogue.in_double = step.in_double;
    if (step.partial != kNoValue) epilogue.partial = places[step.partial].read_floats();
    epilogue.relu_first = step.relu_first;
    epilogue.alpha = or_null(prepared.alpha);
    epilogue.beta = or_null(prepared.beta);
    if (step.residual != kNoValue) {
      const auto& value = network.values[step.residual];
      epilogue.residual = places[step.residual].read_floats();
      epilogue.residual_codes = places[step.residual].read_codes();
      epilogue.residual_step = static_cast<float>(value.codes.step);
      epilogue.residual_shift = static_cast<float>(value.codes.shift);
      epilogue.residual_scale = value.codes.scale;
      epilogue.residual_offset = value.codes.offset;
    }
    epilogue.clamp = step.clamp;
    epilogue.lo = step.lo;
    epilogue.hi = step.hi;
    if (step.out_floats != kNoValue) epilogue.out = places[step.out_floats].floats;
    if (step.out_codes != kNoValue) {
      epilogue.codes = places[step.out_codes].codes;
      epilogue.encoder = encoder_of(prepared, network.values[step.out_codes].codes.largest);
    }
    prepared.apply = requantize::apply_for(isa);
  }

  static Encoder encoder_of(Prepared& prepared, int32_t steps) {
    const auto& frozen = prepared.step->encoder;
    if (frozen.kind == "affine") return affine_encoder(frozen, steps);
    if (frozen.kind != "thresholds") return {.steps = steps};
    prepared.table = frozen.table;
    prepared.table.resize((prepared.table.size() + 15) / 16 * 16, std::numeric_limits<float>::infinity());
    return {.kind = Encoder::Kind::thresholds, .steps = steps, .table = prepared.table.data()};
  }

  void prepare_convolution(Prepared& prepared) {
    const auto& step = *prepared.step;
    const auto input = step.inputs.front();
    auto problem = problem_of(step, network.values[input], sizes[input], options.batch);
    problem.threads = options.threads;
    prepared.plan = lowbit_conv::make_plan(problem, isa);
    const auto blob = prepared.plan->pack(step.weights);
    prepared.packed = Buffer(blob.size());
    std::memcpy(prepared.packed.data(), blob.data(), blob.size());
    prepare_epilogue(prepared, step.out);
    if (!step.offset_scale.empty()) prepare_offsets(prepared, problem);
    if (step.out_codes != kNoValue)
      requantize::simplify(prepared.epilogue, static_cast<int32_t>(problem.bound()), prepared.simpler);
  }

  // The sum of the weights of the taps inside, times the offset's scale, for each border class.
  void prepare_offsets(Prepared& prepared, const lowbit_conv::Problem& p) {
    const auto& step = *prepared.step;
    const auto valid = lowbit_conv::border_sums(p, step.weights);
    const int64_t stride = requantize::padded_channels(p.out);
    prepared.row_class = valid.rows;
    prepared.column_class = valid.columns;
    prepared.class_terms.assign(static_cast<size_t>(valid.classes * stride), 0);
    for (int64_t k = 0; k < valid.classes; ++k)
      for (int64_t o = 0; o < p.out; ++o)
        prepared.class_terms[static_cast<size_t>(k * stride + o)] =
            static_cast<float>(valid.sums[static_cast<size_t>(k * p.out + o)]) *
            step.offset_scale[static_cast<size_t>(o)];
    prepared.epilogue.class_terms = prepared.class_terms.data();
    prepared.epilogue.row_class = prepared.row_class.data();
    prepared.epilogue.column_class = prepared.column_class.data();
    prepared.epilogue.column_classes = static_cast<int32_t>(valid.column_classes);
  }

  void prepare_float_convolution(Prepared& prepared) {
    const auto& step = *prepared.step;
    prepared.float_shape = {.c = network.values[step.inputs.front()].channels,
                            .out = step.out,
                            .r = step.r,
                            .s = step.s,
                            .stride = step.stride,
                            .pad = step.pad};
    prepared.float_weights = float_conv::pack(prepared.float_shape, step.float_weights);
    prepared.scratch = new_floats(step.out, prepared.size);
    prepare_epilogue(prepared, step.out);
  }

  void make_workspaces() {
    size_t together = 0, each = 0;
    for (const auto& prepared : steps) {
      if (!prepared.plan) continue;
      together = std::max(together, prepared.plan->shared_bytes());
      each = std::max(each, prepared.plan->own_bytes());
    }
    shared = Buffer(together);
    for (int i = 0; i < options.threads; ++i) own.emplace_back(each);
  }

  void run(const Prepared& prepared, std::span<const float> images) {
    const auto& step = *prepared.step;
    const int64_t rows = options.batch * prepared.size.h;
    const auto in_rows = [&](const auto& work) {
      share(options.threads, rows, [&](int64_t first, int64_t last, int) { work(first, last); });
    };
    const Place* in = step.inputs.empty() ? nullptr : &places[step.inputs.front()];
    switch (step.kind) {
      case Kind::image:
        return in_rows(
            [&](int64_t first, int64_t last) { load_rows(images, places[step.out_floats].floats, first, last); });
      case Kind::convolution:
        return run_convolution(prepared);
      case Kind::float_convolution:
        return in_rows([&](int64_t first, int64_t last) {
          const auto& scratch = prepared.scratch;
          float_conv::rows_for(isa)(prepared.float_shape, in->read_floats(), prepared.float_weights.data(), scratch,
                                    first, last);
          requantize::apply_rows_for(isa)(
              prepared.epilogue, {.data = scratch.data, .h = scratch.h, .w = scratch.w, .pixel = scratch.pixel}, first,
              last);
        });
      case Kind::elementwise:
        return in_rows([&](int64_t first, int64_t last) {
          requantize::apply_rows_for(isa)(prepared.epilogue, in->read_floats(), first, last);
        });
      case Kind::digit:
        return in_rows([&](int64_t first, int64_t last) {
          combine::digit_rows(in->read_codes(), step.digit_mask, places[step.out_codes].codes, first, last);
        });
      case Kind::max_pool:
        return in_rows([&](int64_t first, int64_t last) {
          if (step.out_codes != kNoValue)
            pooling::max_rows(in->read_codes(), places[step.out_codes].codes, first, last);
          else
            pooling::max_rows(in->read_floats(), places[step.out_floats].floats, first, last);
        });
      case Kind::average_pool:
        return in_rows([&](int64_t first, int64_t last) {
          pooling::average_rows(in->read_floats(), places[step.out_floats].floats, first, last);
        });
      case Kind::mean:
        return pooling::mean_images(in->read_floats(), places[step.out_floats].floats, 0, options.batch);
      case Kind::weighted_sum:
      case Kind::blend:
        return in_rows([&](int64_t first, int64_t last) {
          combine::weighted_sum_rows(prepared.summands, step.factors, places[step.out_floats].floats, first, last);
        });
    }
  }

  // From [n][c][h][w].
  void load_rows(std::span<const float> images, const FloatMap<float>& to, int64_t first, int64_t last) const {
    for (int64_t row = first; row < last; ++row) {
      const int64_t n = row / to.h, y = row % to.h;
      for (int64_t c = 0; c < network.channels; ++c) {
        const float* from = images.data() + ((n * network.channels + c) * to.h + y) * to.w;
        for (int64_t x = 0; x < to.w; ++x) to.at(n, y, x)[c] = from[x];
      }
    }
  }

  void run_convolution(const Prepared& prepared) {
    const auto& plan = *prepared.plan;
    for (int phase = 0; phase < plan.phases(); ++phase)
      share(options.threads, plan.tasks(phase), [&](int64_t first, int64_t last, int thread) {
        plan.execute(phase, first, last,
                     {.in = places[prepared.step->inputs.front()].read_codes(),
                      .packed = prepared.packed.data(),
                      .shared = shared.data(),
                      .own = own[static_cast<size_t>(thread)].data(),
                      .sink = prepared.apply,
                      .epilogue = &prepared.epilogue});
      });
  }
};

Executor::Executor(const IntegerNetwork& network, const ExecutorOptions& options, const Isa& isa)
    : parts_(std::make_unique<Parts>(network, options, isa)) {}
Executor::~Executor() = default;
Executor::Executor(Executor&&) noexcept = default;

std::span<const float> Executor::run(std::span<const float> images) {
  auto& parts = *parts_;
  const auto& network = parts.network;
  AUXBENCH_CHECK(std::ssize(images) == parts.options.batch * network.channels * network.height * network.width,
                 "a batch of images");
  for (const auto& prepared : parts.steps) parts.run(prepared, images);
  const auto& last = parts.places[network.logits].floats;
  for (int64_t n = 0; n < parts.options.batch; ++n)
    std::copy_n(last.at(n, 0, 0), network.classes, parts.logits.data() + n * network.classes);
  return parts.logits;
}

std::vector<float> Executor::value(size_t index) const {
  AUXBENCH_CHECK(parts_->options.keep_values, "values that are kept");
  const auto& value = parts_->network.values.at(index);
  const auto& place = parts_->places.at(index);
  const auto size = parts_->sizes[index];
  std::vector<float> numbers;
  for (int64_t n = 0; n < parts_->options.batch; ++n)
    for (int64_t y = 0; y < size.h; ++y)
      for (int64_t x = 0; x < size.w; ++x)
        for (int64_t c = 0; c < value.channels; ++c)
          numbers.push_back(
              value.type == IntegerValue::Type::floats
                  ? place.floats.at(n, y, x)[c]
                  : static_cast<float>(value.codes.step * place.codes.at(n, y, x)[c] + value.codes.shift));
  return numbers;
}

std::vector<std::string> Executor::plans() const {
  std::vector<std::string> lines;
  for (const auto& prepared : parts_->steps)
    if (prepared.plan)
      lines.push_back(prepared.step->name + ": " + prepared.plan->kernel() + " (" + prepared.plan->reason() + ")");
  return lines;
}

}  // namespace auxbench
