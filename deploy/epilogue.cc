#include "deploy/epilogue.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "deploy/affine_encoder.h"

namespace auxbench {
namespace {

std::vector<float> padded(const std::vector<float>& numbers) {
  auto result = numbers;
  result.resize(static_cast<size_t>(requantize::padded_channels(std::ssize(numbers))));
  return result;
}

const float* or_null(const std::vector<float>& numbers) { return numbers.empty() ? nullptr : numbers.data(); }

}  // namespace

void check_encoder(const IntegerStep& step, int32_t largest) {
  const auto& encoder = step.encoder;
  if (encoder.kind == "none") refuse_step(step, "codes without an encoder");
  if (encoder.kind == "thresholds") {
    const auto& table = encoder.table;
    if (std::ssize(table) != largest) refuse_step(step, "not a threshold for each code");
    const bool any_nan = std::any_of(table.begin(), table.end(), [](float t) { return std::isnan(t); });
    if (any_nan || !std::is_sorted(table.begin(), table.end())) refuse_step(step, "thresholds that do not rise");
    return;
  }
  const auto code_of = [&](float v) { return std::nearbyint(static_cast<double>(v * encoder.multiply)) + encoder.add; };
  const double first = code_of(encoder.lo), last = code_of(encoder.hi);
  const bool inside = first >= 0 && first <= last && last <= largest;  // not of NaN
  if (!inside || encoder.add < -255 || encoder.add > 255) refuse_step(step, "an encoder of codes beyond the largest");
}

PreparedEpilogue::PreparedEpilogue(const StepMemory& memory, int64_t channels)
    : scale_(padded(memory.step().scale)), alpha_(padded(memory.step().alpha)), beta_(padded(memory.step().beta)) {
  const auto& step = memory.step();
  const auto& values = memory.inputs.network.values;
  lines.channels = channels;
  lines.scale = or_null(scale_);
  lines.in_double = step.in_double;
  if (step.partial != kNoValue) lines.partial = memory.places[step.partial].floats;
  lines.relu_first = step.relu_first;
  lines.alpha = or_null(alpha_);
  lines.beta = or_null(beta_);
  if (step.residual != kNoValue) {
    const auto& codes = values[step.residual].codes;
    lines.residual = memory.places[step.residual].floats;
    lines.residual_codes = memory.places[step.residual].codes;
    lines.residual_step = static_cast<float>(codes.step);
    lines.residual_shift = static_cast<float>(codes.shift);
    lines.residual_scale = codes.scale;
    lines.residual_offset = codes.offset;
  }
  lines.clamp = step.clamp;
  lines.lo = step.lo;
  lines.hi = step.hi;
  if (step.out_floats != kNoValue) lines.out = memory.out_floats();
  if (step.out_codes == kNoValue) return;
  lines.codes = memory.out_codes();
  lines.encoder = encoder_of(step.encoder, values[step.out_codes].codes.largest);
}

requantize::Encoder PreparedEpilogue::encoder_of(const FrozenEncoder& frozen, int32_t steps) {
  if (frozen.kind == "affine") return affine_encoder(frozen, steps);
  if (frozen.kind != "thresholds") return {.steps = steps};
  table_ = frozen.table;
  table_.resize((table_.size() + 15) / 16 * 16, std::numeric_limits<float>::infinity());
  return {.kind = requantize::Encoder::Kind::thresholds, .steps = steps, .table = table_.data()};
}

}  // namespace auxbench
