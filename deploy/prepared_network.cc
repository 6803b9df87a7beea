#include "deploy/prepared_network.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "deploy/arena.h"
#include "deploy/share.h"

namespace auxbench {
namespace {

using requantize::CodeMap;
using requantize::FloatMap;

FloatMap<float> float_layout(int64_t channels, ValueSize size) {
  return {.h = size.h, .w = size.w, .pixel = requantize::padded_channels(channels)};
}

size_t float_bytes(const FloatMap<float>& map, int64_t batch) {
  return static_cast<size_t>(batch * map.h * map.w * map.pixel) * sizeof(float);
}

size_t code_bytes(const CodeMap<uint8_t>& map, int64_t batch) {
  return static_cast<size_t>(batch * map.image() + requantize::kSlack);
}

// The values whose numbers a step reads; of another it may read the size alone.
std::span<const size_t> read_inputs(const IntegerStep& step) {
  const bool last_for_size = operation_of(step.kind).traits().last_for_size;
  return std::span(step.inputs).first(step.inputs.size() - (last_for_size ? 1 : 0));
}

// As wide as the widest reader's padding.
std::vector<int64_t> border_widths(const IntegerNetwork& network) {
  std::vector<int64_t> widths(network.values.size());
  for (const auto& step : network.steps)
    for (const auto input : read_inputs(step))
      widths[input] = std::max(widths[input], operation_of(step.kind).border(step));
  return widths;
}

uint8_t border_code(const CodeMeaning& codes) {
  const lowbit_conv::Problem reader = {
      .activation_bits = codes.bits(), .activation_step = codes.step, .activation_shift = codes.shift};
  return reader.border_code();
}

// From the step that makes a value to the last that reads it; outputs are read after all.
void find_lifetimes(const IntegerNetwork& network, bool keep, std::span<ArenaRequest> values) {
  const auto end = network.steps.size();
  for (size_t i = 0; i < end; ++i) {
    const auto& step = network.steps[i];
    for (const auto made : {step.out_floats, step.out_codes})
      if (made != kNoValue) values[made].first = values[made].last = i;
    for (const auto input : read_inputs(step)) values[input].last = i;
    for (const auto extra : {step.partial, step.residual})
      if (extra != kNoValue) values[extra].last = i;
  }
  for (const auto& output : network.outputs) values[output.value].last = end;
  if (!keep) return;
  for (auto& value : values) value.first = 0, value.last = end;
}

// Maps that leave each other's borders alone.
bool same_border(const CodeMap<uint8_t>& a, const CodeMap<uint8_t>& b) {
  return a.data == b.data && a.h == b.h && a.w == b.w && a.border == b.border && a.pixel == b.pixel;
}

}  // namespace

PreparedNetwork::PreparedNetwork(const IntegerNetwork& network, ValueSize image, const ExecutorOptions& options,
                                 const Isa& isa, PackedWeights& packed)
    : network_(network), image_(image), options_(options), sizes_(value_sizes(network, image)) {
  AUXBENCH_CHECK(options.batch > 0 && options.threads > 0, "at least one image and one thread");
  place_values();
  prepare_steps(isa, packed);
  make_workspaces();
  for (const auto& output : network.outputs)
    outputs_.emplace_back(is_dense(output.value) ? 0 : numbers_of(output.value));
}

void PreparedNetwork::place_values() {
  const auto count = network_.values.size(), steps = network_.steps.size();
  const auto widths = border_widths(network_);
  places_.resize(count);
  borders_.resize(count);
  scratch_.resize(steps);
  // Requests of values, then of steps.
  std::vector<ArenaRequest> requests(count + steps);
  find_lifetimes(network_, options_.keep_values, std::span(requests).first(count));
  for (size_t i = 0; i < count; ++i) {
    const auto& value = network_.values[i];
    if (sizes_[i].h < 1) continue;
    if (value.type == IntegerValue::Type::floats) {
      places_[i].floats = float_layout(value.channels, sizes_[i]);
      requests[i].bytes = float_bytes(places_[i].floats, options_.batch);
    } else {
      places_[i].codes = {
          .h = sizes_[i].h, .w = sizes_[i].w, .border = widths[i], .pixel = lowbit_conv::usual_pixel(value.channels)};
      requests[i].bytes = code_bytes(places_[i].codes, options_.batch);
    }
  }
  for (size_t i = 0; i < steps; ++i) {
    const auto& step = network_.steps[i];
    requests[count + i] = {
        .bytes = operation_of(step.kind).scratch_bytes({network_, step, sizes_, image_}, options_.batch),
        .first = i,
        .last = i};
  }
  const auto plan = plan_arena(requests);
  arena_ = lowbit_conv::Buffer(plan.bytes);
  const auto at = [&](size_t request) { return arena_.data() + plan.offsets[request]; };
  for (size_t i = 0; i < steps; ++i) scratch_[i] = at(count + i);
  for (size_t i = 0; i < count; ++i)
    if (network_.values[i].type == IntegerValue::Type::floats)
      places_[i].floats.data = reinterpret_cast<float*>(at(i));
    else
      places_[i].codes.data = reinterpret_cast<uint8_t*>(at(i));
  const auto overlap = [&](size_t a, size_t b) {
    return plan.offsets[a] < plan.offsets[b] + requests[b].bytes &&
           plan.offsets[b] < plan.offsets[a] + requests[a].bytes;
  };
  for (size_t i = 0; i < count; ++i) {
    const auto& map = places_[i].codes;
    if (map.border == 0 || requests[i].bytes == 0) continue;
    borders_[i] = {.map = map, .code = border_code(network_.values[i].codes)};
    for (size_t other = 0; other < requests.size() && !borders_[i].shared; ++other)
      borders_[i].shared = overlap(i, other) && !(other < count && same_border(places_[other].codes, map) &&
                                                  border_code(network_.values[other].codes) == borders_[i].code);
    write_border(borders_[i]);
  }
}

void PreparedNetwork::prepare_steps(const Isa& isa, PackedWeights& packed) {
  for (size_t i = 0; i < network_.steps.size(); ++i) {
    const auto& step = network_.steps[i];
    const StepInputs inputs = {network_, step, sizes_, image_};
    steps_.push_back(operation_of(step.kind).prepare({.inputs = inputs,
                                                      .places = places_,
                                                      .scratch = scratch_[i],
                                                      .batch = options_.batch,
                                                      .threads = options_.threads,
                                                      .isa = isa,
                                                      .packed = packed}));
  }
}

void PreparedNetwork::make_workspaces() {
  size_t together = 0, each = 0;
  for (const auto& step : steps_) {
    together = std::max(together, step->shared_bytes());
    each = std::max(each, step->own_bytes());
  }
  shared_ = lowbit_conv::Buffer(together);
  for (int i = 0; i < options_.threads; ++i) own_.emplace_back(each);
}

// The end of a row's border and the beginning of the next one's are neighbours.
void PreparedNetwork::write_border(const Border& border) const {
  const auto& map = border.map;
  const int64_t side = map.border * map.pixel, ends = map.border * map.row() + side;
  share(options_.threads, options_.batch, [&](int64_t first, int64_t last, int) {
    for (int64_t n = first; n < last; ++n) {
      uint8_t* at = map.data + n * map.image();
      std::memset(at, border.code, static_cast<size_t>(ends));
      for (int64_t y = 1; y < map.h; ++y)
        std::memset(at + ends + y * map.row() - 2 * side, border.code, static_cast<size_t>(2 * side));
      std::memset(at + map.image() - ends, border.code, static_cast<size_t>(ends));
    }
  });
}

void PreparedNetwork::run(std::span<const float> images) {
  AUXBENCH_CHECK(std::ssize(images) == options_.batch * network_.channels * image_.h * image_.w, "a batch of images");
  const RunContext context = {.images = images, .threads = options_.threads, .shared = shared_.data(), .own = own_};
  for (size_t i = 0; i < steps_.size(); ++i) {
    const auto made = network_.steps[i].out_codes;
    if (made != kNoValue && borders_[made].shared) write_border(borders_[made]);
    steps_[i]->run(context);
  }
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const auto value = network_.outputs[i].value;
    if (is_dense(value)) continue;
    const auto& map = places_[value].floats;
    const int64_t channels = network_.values[value].channels, pixels = options_.batch * map.h * map.w;
    for (int64_t p = 0; p < pixels; ++p)
      std::copy_n(map.data + p * map.pixel, channels, outputs_[i].data() + p * channels);
  }
}

// Whether its map is the output as it lies in memory, which stays until the next run: a detector's are large.
bool PreparedNetwork::is_dense(size_t value) const {
  return places_[value].floats.pixel == network_.values[value].channels;
}

size_t PreparedNetwork::numbers_of(size_t value) const {
  const auto size = sizes_[value];
  return static_cast<size_t>(options_.batch * size.h * size.w * network_.values[value].channels);
}

ExecutorOutput PreparedNetwork::output(size_t index) const {
  const auto& output = network_.outputs.at(index);
  const auto size = sizes_[output.value];
  const std::span<const float> copied = outputs_[index];
  return {.name = output.name,
          .numbers = is_dense(output.value)
                         ? std::span<const float>(places_[output.value].floats.data, numbers_of(output.value))
                         : copied,
          .h = size.h,
          .w = size.w,
          .channels = network_.values[output.value].channels};
}

std::vector<float> PreparedNetwork::value(size_t index) const {
  AUXBENCH_CHECK(options_.keep_values, "values that are kept");
  const auto& value = network_.values.at(index);
  const auto& place = places_.at(index);
  const auto size = sizes_[index];
  std::vector<float> numbers;
  for (int64_t n = 0; n < options_.batch; ++n)
    for (int64_t y = 0; y < size.h; ++y)
      for (int64_t x = 0; x < size.w; ++x)
        for (int64_t c = 0; c < value.channels; ++c)
          numbers.push_back(
              value.type == IntegerValue::Type::floats
                  ? place.floats.at(n, y, x)[c]
                  : static_cast<float>(value.codes.step * place.codes.at(n, y, x)[c] + value.codes.shift));
  return numbers;
}

std::vector<std::string> PreparedNetwork::plans() const {
  std::vector<std::string> lines;
  for (const auto& step : steps_)
    if (auto line = step->plan(); !line.empty()) lines.push_back(std::move(line));
  return lines;
}

}  // namespace auxbench
