#include "deploy/integer_network.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/error.h"
#include "deploy/step_problem.h"

namespace auxbench {
namespace {

using Kind = IntegerStep::Kind;

[[noreturn]] void refuse(const IntegerStep& step, const std::string& what) {
  throw UserError(ExitCode::data_missing, "integer network, step " + step.name + ": " + what);
}

bool is_convolution(const IntegerStep& step) {
  return step.kind == Kind::convolution || step.kind == Kind::float_convolution;
}

const IntegerValue& value_of(const IntegerNetwork& network, const IntegerStep& step, size_t index) {
  if (index >= network.values.size()) refuse(step, "a value that does not exist");
  return network.values[index];
}

void demand(const IntegerStep& step, const IntegerValue& value, IntegerValue::Type type, int64_t channels,
            const char* what) {
  if (value.type != type) refuse(step, std::string(what) + " of the wrong type");
  if (channels > 0 && value.channels != channels) refuse(step, std::string(what) + " of the wrong number of channels");
}

void check_arrays(const IntegerStep& step, int64_t channels) {
  const auto fits = [&](const auto& array) { return array.empty() || std::ssize(array) == channels; };
  if (!fits(step.scale) || !fits(step.offset_scale) || !fits(step.alpha) || !fits(step.beta))
    refuse(step, "an array that has not a number per channel");
  if (step.alpha.empty() != step.beta.empty()) refuse(step, "alpha without beta");
}

void check_values(const IntegerNetwork& network) {
  constexpr int64_t kMost = 1 << 16;
  const auto refuse_all = [](const std::string& what) {
    throw UserError(ExitCode::data_missing, "integer network: " + what);
  };
  const auto sensible = [](int64_t size) { return size >= 1 && size <= kMost; };
  if (!sensible(network.channels) || !sensible(network.height) || !sensible(network.width) ||
      !sensible(network.classes) || network.channels * network.height * network.width > (int64_t{1} << 28))
    refuse_all("an image of an impossible size");
  if (network.steps.size() > kMostSteps || network.values.size() > kMostSteps)
    refuse_all("more than " + std::to_string(kMostSteps) + " steps or values");
  for (const auto& value : network.values) {
    if (!sensible(value.channels)) refuse_all("a value of " + std::to_string(value.channels) + " channels");
    const auto& codes = value.codes;
    if (codes.largest < 0 || codes.largest > 255 || codes.step < 1 || codes.step > 2 || codes.shift < -255 ||
        codes.shift > 255)
      refuse_all("codes that 8 bits do not hold");
  }
}

// Returns the numbers of a map.
int64_t check_map(const IntegerStep& step, int64_t h, int64_t w, int64_t channels) {
  const int64_t numbers = h * w * requantize::padded_channels(channels);
  if (numbers > kMostNumbers) refuse(step, "a map of " + std::to_string(numbers) + " numbers");
  return numbers;
}

// Codes are 0 .. largest: kernels make room for no others.
void check_encoder(const IntegerStep& step, int32_t largest) {
  const auto& encoder = step.encoder;
  if (encoder.kind == "none") refuse(step, "codes without an encoder");
  if (encoder.kind == "thresholds") {
    const auto& table = encoder.table;
    if (std::ssize(table) != largest) refuse(step, "not a threshold for each code");
    const bool any_nan = std::any_of(table.begin(), table.end(), [](float t) { return std::isnan(t); });
    if (any_nan || !std::is_sorted(table.begin(), table.end())) refuse(step, "thresholds that do not rise");
    return;
  }
  const auto code_of = [&](float v) { return std::nearbyint(static_cast<double>(v * encoder.multiply)) + encoder.add; };
  const double first = code_of(encoder.lo), last = code_of(encoder.hi);
  const bool inside = first >= 0 && first <= last && last <= largest;  // not of NaN
  if (!inside || encoder.add < -255 || encoder.add > 255) refuse(step, "an encoder of codes beyond the largest");
}

// Checks the step and returns the size of what it makes.
ValueSize size_after(const IntegerNetwork& network, const IntegerStep& step, const std::vector<ValueSize>& sizes) {
  const size_t wanted = step.kind == Kind::image ? 0 : step.kind == Kind::blend ? 2 : 1;
  if (step.kind == Kind::weighted_sum ? step.inputs.empty() : step.inputs.size() != wanted)
    refuse(step, "the wrong number of inputs");
  if (step.inputs.size() > kMostInputs) refuse(step, "more than " + std::to_string(kMostInputs) + " inputs");
  if (step.kind == Kind::image) {
    if (step.out_codes != kNoValue) refuse(step, "makes floats alone");
    return {network.height, network.width};
  }
  const auto& in = value_of(network, step, step.inputs.front());
  const auto from = sizes[step.inputs.front()];
  if (from.h < 1) refuse(step, "an input that no earlier step makes");
  const bool codes_pooled = step.kind == Kind::max_pool && in.type == IntegerValue::Type::codes;
  const bool on_codes = step.kind == Kind::convolution || step.kind == Kind::digit || codes_pooled;
  for (const auto input : step.inputs) {
    const auto& value = value_of(network, step, input);
    const auto size = sizes[input];
    demand(step, value, on_codes ? IntegerValue::Type::codes : IntegerValue::Type::floats, in.channels, "an input");
    if (size.h != from.h || size.w != from.w) refuse(step, "inputs of different sizes");
  }
  const bool codes_alone = step.kind == Kind::digit || codes_pooled;
  if (step.out_codes != kNoValue && !is_convolution(step) && step.kind != Kind::elementwise && !codes_alone)
    refuse(step, "makes floats alone");
  if (codes_alone && (step.out_codes == kNoValue || step.out_floats != kNoValue)) refuse(step, "makes codes alone");
  if (step.kind == Kind::digit && in.codes.largest > 15) refuse(step, "digits of codes beyond 15");
  if (step.kind == Kind::max_pool) return {(from.h + 1) / 2, (from.w + 1) / 2};
  if (step.kind == Kind::average_pool) return {(from.h + 1) / 2, (from.w + 1) / 2};
  if (step.kind == Kind::mean) return {1, 1};
  if ((step.kind == Kind::weighted_sum || step.kind == Kind::blend) && step.factors.size() != step.inputs.size())
    refuse(step, "a factor for each input");
  if (!is_convolution(step)) return from;
  const auto problem = problem_of(step, in, from, /*batch=*/1);
  if (const auto reason = lowbit_conv::why_not(problem); !reason.empty()) refuse(step, reason);
  const auto count = on_codes ? std::ssize(step.weights) : std::ssize(step.float_weights);
  if (count != step.out * problem.taps()) refuse(step, "the wrong number of weights");
  if (on_codes && step.scale.empty()) refuse(step, "no scale");
  const auto border_classes = [&](int64_t outputs) { return std::min(outputs, 2 * step.pad + 1); };
  if (border_classes(problem.out_h()) * border_classes(problem.out_w()) * step.out * step.r * step.s >
      kMostNumbersTogether)
    refuse(step, "too many ways in which its kernel meets a border");
  if (on_codes) check_map(step, from.h + 2 * step.pad, from.w + 2 * step.pad, in.channels);
  return {problem.out_h(), problem.out_w()};
}

int64_t step_macs(const IntegerNetwork& network, const IntegerStep& step, const std::vector<ValueSize>& sizes) {
  const auto made = step.out_floats != kNoValue ? step.out_floats : step.out_codes;
  const auto in = network.values[step.inputs.front()];
  return sizes[made].h * sizes[made].w * step.out * step.r * step.s * in.channels;
}

}  // namespace

int CodeMeaning::bits() const {
  int count = 1;
  while ((int64_t{1} << count) <= largest) ++count;
  return count;
}

std::vector<ValueSize> value_sizes(const IntegerNetwork& network) {
  check_values(network);
  std::vector<ValueSize> sizes(network.values.size());
  int64_t numbers = 0;
  const auto make = [&](const IntegerStep& step, size_t value, ValueSize size) {
    sizes[value] = size;
    numbers += check_map(step, size.h, size.w, network.values[value].channels);
    if (numbers > kMostNumbersTogether) refuse(step, "more numbers in all maps than memory is for");
  };
  for (const auto& step : network.steps) {
    const auto size = size_after(network, step, sizes);
    const int64_t channels = step.kind == Kind::image ? network.channels
                             : is_convolution(step)   ? step.out
                                                      : network.values[step.inputs.front()].channels;
    check_arrays(step, channels);
    if (step.out_floats == kNoValue && step.out_codes == kNoValue) refuse(step, "makes nothing");
    for (const auto made : {step.out_floats, step.out_codes})
      if (made < sizes.size() && sizes[made].h > 0) refuse(step, "makes a value that an earlier step makes");
    for (const auto extra : {step.partial, step.residual}) {
      if (extra == kNoValue) continue;
      const auto& value = value_of(network, step, extra);
      if (value.channels != channels || sizes[extra].h != size.h || sizes[extra].w != size.w || size.h < 1)
        refuse(step, "a summand of another shape");
      if (extra == step.partial) demand(step, value, IntegerValue::Type::floats, channels, "a partial sum");
    }
    if (step.out_floats != kNoValue) {
      demand(step, value_of(network, step, step.out_floats), IntegerValue::Type::floats, channels, "an output");
      make(step, step.out_floats, size);
    }
    if (step.out_codes != kNoValue) {
      demand(step, value_of(network, step, step.out_codes), IntegerValue::Type::codes, channels, "an output");
      if (is_convolution(step) || step.kind == Kind::elementwise)
        check_encoder(step, network.values[step.out_codes].codes.largest);
      if (step.kind == Kind::max_pool &&
          network.values[step.out_codes].codes != network.values[step.inputs.front()].codes)
        refuse(step, "pools codes into codes of another meaning");
      make(step, step.out_codes, size);
    }
  }
  if (network.logits >= network.values.size() || sizes[network.logits].h != 1 || sizes[network.logits].w != 1 ||
      network.values[network.logits].type != IntegerValue::Type::floats ||
      network.values[network.logits].channels != network.classes)
    throw UserError(ExitCode::data_missing, "integer network: it does not end in one number per class");
  return sizes;
}

int64_t IntegerNetwork::macs() const {
  const auto sizes = value_sizes(*this);
  int64_t sum = 0;
  for (const auto& step : steps)
    if (is_convolution(step)) sum += step_macs(*this, step, sizes);
  return sum;
}

int64_t IntegerNetwork::integer_macs() const {
  const auto sizes = value_sizes(*this);
  int64_t sum = 0;
  for (const auto& step : steps)
    if (step.kind == Kind::convolution) sum += step_macs(*this, step, sizes);
  return sum;
}

int64_t IntegerNetwork::bytes() const {
  int64_t bits = 0;
  for (const auto& step : steps) {
    bits += std::ssize(step.weights) * step.weight_bits;
    const auto floats = std::ssize(step.float_weights) + std::ssize(step.scale) + std::ssize(step.offset_scale) +
                        std::ssize(step.alpha) + std::ssize(step.beta) + std::ssize(step.encoder.table) +
                        std::ssize(step.factors);
    bits += 32 * floats;
  }
  return (bits + 7) / 8;
}

const char* step_kind_name(Kind kind) {
  switch (kind) {
    case Kind::image:
      return "image";
    case Kind::convolution:
      return "convolution";
    case Kind::float_convolution:
      return "float-convolution";
    case Kind::elementwise:
      return "elementwise";
    case Kind::digit:
      return "digit";
    case Kind::max_pool:
      return "max-pool";
    case Kind::average_pool:
      return "average-pool";
    case Kind::mean:
      return "mean";
    case Kind::weighted_sum:
      return "weighted-sum";
    case Kind::blend:
      return "blend";
  }
  AUXBENCH_CHECK(false, "a kind of step there is");
}

}  // namespace auxbench
