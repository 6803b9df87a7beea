#include "deploy/integer_network.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "deploy/epilogue.h"
#include "deploy/operation.h"

namespace auxbench {
namespace {

using Type = IntegerValue::Type;
using Reads = Traits::Reads;
using Makes = Traits::Makes;

constexpr int64_t kMostSize = 1 << 16;

bool sensible(int64_t size) { return size >= 1 && size <= kMostSize; }

[[noreturn]] void refuse_all(const std::string& what) {
  throw UserError(ExitCode::data_missing, "integer network: " + what);
}

const IntegerValue& value_of(const StepInputs& inputs, size_t index) {
  if (index >= inputs.network.values.size()) refuse_step(inputs.step, "a value that does not exist");
  return inputs.network.values[index];
}

void demand(const IntegerStep& step, const IntegerValue& value, Type type, int64_t channels, const char* what) {
  if (value.type != type) refuse_step(step, std::string(what) + " of the wrong type");
  if (channels > 0 && value.channels != channels)
    refuse_step(step, std::string(what) + " of the wrong number of channels");
}

void check_sharing(const StepInputs& inputs, size_t index) {
  const auto& step = inputs.step;
  if (step.shares == kNoValue) return;
  constexpr unsigned kWeights = kCodeWeights | kFloatWeights;
  if ((operation_of(step.kind).traits().arrays & kWeights) == 0) refuse_step(step, "has no weights to share");
  if (step.shares >= index) refuse_step(step, "shares weights with a step that is not before it");
  const auto& holder = inputs.network.steps[step.shares];
  if (holder.shares != kNoValue || !step.weights.empty() || !step.float_weights.empty())
    refuse_step(step, "shares weights with a step that has none, or has its own");
  if (!same_convolution(inputs.network, step, holder)) refuse_step(step, "shares weights with another convolution");
}

void check_arrays(const IntegerStep& step, int64_t channels) {
  const auto fits = [&](const auto& array) { return array.empty() || std::ssize(array) == channels; };
  if (!fits(step.scale) || !fits(step.offset_scale) || !fits(step.alpha) || !fits(step.beta))
    refuse_step(step, "an array that has not a number per channel");
  if (step.alpha.empty() != step.beta.empty()) refuse_step(step, "alpha without beta");
  const auto own = operation_of(step.kind).traits().arrays;
  const auto foreign = [&](ArrayGroup group, const auto&... arrays) {
    return (own & group) == 0 && (... || !arrays.empty());
  };
  if (foreign(kCodeWeights, step.weights, step.scale, step.offset_scale) ||
      foreign(kFloatWeights, step.float_weights) || foreign(kFactors, step.factors) ||
      foreign(kEpilogue, step.alpha, step.beta, step.encoder.table))
    refuse_step(step, std::string("arrays that are not for the operation ") + step_kind_name(step.kind));
}

void check_values(const IntegerNetwork& network, ValueSize image) {
  if (!sensible(network.channels) || !sensible(image.h) || !sensible(image.w) ||
      network.channels * image.h * image.w > kMostNumbers)
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

void check_outputs(const IntegerNetwork& network, const std::vector<ValueSize>& sizes) {
  if (network.outputs.empty() || network.outputs.size() > kMostInputs) refuse_all("no outputs, or too many");
  std::set<std::string> names;
  for (const auto& [name, value] : network.outputs) {
    if (name.empty() || !names.insert(name).second) refuse_all("outputs without a name of their own");
    const bool floats = value < sizes.size() && sizes[value].h > 0 && network.values[value].type == Type::floats;
    if (name != kLogits) {
      if (!floats) refuse_all("the output " + name + " is no float value that a step makes");
    } else if (!floats || sizes[value] != ValueSize{1, 1} || network.values[value].channels != network.classes) {
      refuse_all("it does not end in one number per class");
    }
  }
  if (!names.contains(kLogits) && network.classes != 0) refuse_all("classes without logits");
}

void check_inputs(const StepInputs& inputs) {
  const auto& step = inputs.step;
  const auto& traits = operation_of(step.kind).traits();
  if (step.inputs.size() < traits.least_inputs || step.inputs.size() > traits.most_inputs)
    refuse_step(step, "the wrong number of inputs");
  if (step.inputs.empty()) return;
  const auto& first = value_of(inputs, step.inputs.front());
  const auto type = traits.reads == Reads::either  ? first.type
                    : traits.reads == Reads::codes ? Type::codes
                                                   : Type::floats;
  if (inputs.size().h < 1) refuse_step(step, "an input that no earlier step makes");
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    const auto& value = value_of(inputs, step.inputs[i]);
    if (traits.last_for_size && i + 1 == step.inputs.size()) {
      if (inputs.size(i).h < 1) refuse_step(step, "the size of a value that no earlier step makes");
      continue;
    }
    demand(step, value, type, first.channels, "an input");
    if (inputs.size(i) != inputs.size()) refuse_step(step, "inputs of different sizes");
  }
}

void check_outcome(const StepInputs& inputs) {
  const auto& step = inputs.step;
  const auto makes = operation_of(step.kind).traits().makes;
  const bool as_codes = makes == Makes::as_inputs && inputs.value().type == Type::codes;
  if (step.out_floats == kNoValue && step.out_codes == kNoValue) refuse_step(step, "makes nothing");
  if (makes == Makes::codes || as_codes) {
    if (step.out_codes == kNoValue || step.out_floats != kNoValue) refuse_step(step, "makes codes alone");
  } else if (makes != Makes::both && step.out_codes != kNoValue) {
    refuse_step(step, "makes floats alone");
  }
}

void check_summands(const StepInputs& inputs, const MapShape& made) {
  const auto& step = inputs.step;
  for (const auto extra : {step.partial, step.residual}) {
    if (extra == kNoValue) continue;
    const auto& value = value_of(inputs, extra);
    if (value.channels != made.channels || inputs.sizes[extra] != made.size)
      refuse_step(step, "a summand of another shape");
    if (extra == step.partial) demand(step, value, Type::floats, made.channels, "a partial sum");
  }
}

void check_made(const StepInputs& inputs, int64_t channels) {
  const auto& step = inputs.step;
  for (const auto made : {step.out_floats, step.out_codes})
    if (made < inputs.sizes.size() && inputs.sizes[made].h > 0)
      refuse_step(step, "makes a value that an earlier step makes");
  if (step.out_floats != kNoValue) demand(step, value_of(inputs, step.out_floats), Type::floats, channels, "an output");
  if (step.out_codes == kNoValue) return;
  const auto& codes = value_of(inputs, step.out_codes);
  demand(step, codes, Type::codes, channels, "an output");
  const auto makes = operation_of(step.kind).traits().makes;
  if (makes == Makes::both) check_encoder(step, codes.codes.largest);
  if (makes == Makes::as_inputs && codes.codes != inputs.value().codes)
    refuse_step(step, "pools codes into codes of another meaning");
}

int64_t macs_of(const IntegerNetwork& network, bool integer_alone) {
  const auto sizes = value_sizes(network);
  int64_t sum = 0;
  for (const auto& step : network.steps) {
    const auto& operation = operation_of(step.kind);
    if (integer_alone && operation.traits().reads != Reads::codes) continue;
    sum += operation.macs({network, step, sizes, {network.height, network.width}});
  }
  return sum;
}

}  // namespace

int64_t check_map(const IntegerStep& step, ValueSize size, int64_t channels) {
  const int64_t numbers = size.h * size.w * requantize::padded_channels(channels);
  if (numbers > kMostNumbers) refuse_step(step, "a map of " + std::to_string(numbers) + " numbers");
  return numbers;
}

bool same_convolution(const IntegerNetwork& network, const IntegerStep& a, const IntegerStep& b) {
  if (a.kind != b.kind || a.inputs.size() != 1 || b.inputs.size() != 1) return false;
  const auto &in_a = network.values[a.inputs.front()], &in_b = network.values[b.inputs.front()];
  return a.out == b.out && a.r == b.r && a.s == b.s && a.stride == b.stride && a.pad == b.pad &&
         a.weight_bits == b.weight_bits && a.odd_weights == b.odd_weights && in_a.type == in_b.type &&
         in_a.channels == in_b.channels && in_a.codes.bits() == in_b.codes.bits() &&
         in_a.codes.step == in_b.codes.step && in_a.codes.shift == in_b.codes.shift;
}

int CodeMeaning::bits() const {
  int count = 1;
  while ((int64_t{1} << count) <= largest) ++count;
  return count;
}

std::vector<ValueSize> value_sizes(const IntegerNetwork& network) {
  return value_sizes(network, {network.height, network.width});
}

std::vector<ValueSize> value_sizes(const IntegerNetwork& network, ValueSize image) {
  check_values(network, image);
  std::vector<ValueSize> sizes(network.values.size());
  int64_t numbers = 0;
  for (size_t i = 0; i < network.steps.size(); ++i) {
    const auto& step = network.steps[i];
    const StepInputs inputs = {network, step, sizes, image};
    check_inputs(inputs);
    check_outcome(inputs);
    check_sharing(inputs, i);
    const auto made = operation_of(step.kind).shape(inputs);
    check_arrays(step, made.channels);
    check_summands(inputs, made);
    check_made(inputs, made.channels);
    for (const auto value : {step.out_floats, step.out_codes}) {
      if (value == kNoValue) continue;
      sizes[value] = made.size;
      numbers += check_map(step, made.size, made.channels);
      if (numbers > kMostNumbersTogether) refuse_step(step, "more numbers in all maps than memory is for");
    }
  }
  check_outputs(network, sizes);
  return sizes;
}

int64_t IntegerNetwork::macs() const { return macs_of(*this, /*integer_alone=*/false); }
int64_t IntegerNetwork::integer_macs() const { return macs_of(*this, /*integer_alone=*/true); }

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

}  // namespace auxbench
