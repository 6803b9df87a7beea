#include "deploy/frozen_quantizer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

#include "base/error.h"
#include "base/torch_prelude.h"
#include "deploy/affine_encoder.h"

namespace auxbench {
namespace {

// More levels than this are told apart by arithmetic where that gives the same codes: a compare for each would be slow.
constexpr int32_t kFewLevels = 7;

using Encode = std::function<std::vector<int64_t>(const std::vector<float>&)>;

// Floats in their order as whole numbers: neighbours differ by one.
int64_t rank_of(float v) {
  const auto bits = std::bit_cast<int32_t>(v);
  return bits >= 0 ? bits : int64_t{std::numeric_limits<int32_t>::min()} - bits - 1;
}
float float_of(int64_t rank) {
  if (rank >= 0) return std::bit_cast<float>(static_cast<int32_t>(rank));
  return std::bit_cast<float>(static_cast<int32_t>(std::numeric_limits<int32_t>::min() - rank - 1));
}

// For each target the smallest float whose code reaches it; codes rise with the float.
std::vector<float> find_thresholds(const Encode& encode, const std::vector<int64_t>& targets) {
  constexpr float kMost = std::numeric_limits<float>::max();
  std::vector<int64_t> below(targets.size(), rank_of(-kMost)), reached(targets.size(), rank_of(kMost));
  std::vector<float> tried(targets.size());
  for (bool open = true; open;) {
    for (size_t i = 0; i < targets.size(); ++i) tried[i] = float_of(below[i] + (reached[i] - below[i]) / 2);
    const auto codes = encode(tried);
    open = false;
    for (size_t i = 0; i < targets.size(); ++i) {
      const auto middle = below[i] + (reached[i] - below[i]) / 2;
      if (middle == below[i]) continue;
      (codes[i] >= targets[i] ? reached : below)[i] = middle;
      open = open || reached[i] - below[i] > 1;
    }
  }
  std::vector<float> thresholds;
  for (const auto rank : reached) thresholds.push_back(float_of(rank));
  return thresholds;
}

// Codes, or where there is a basis their places in the order of levels: what rises with x.
std::vector<int64_t> codes_of(Quantizer& quantizer, const std::vector<int64_t>& order, const std::vector<float>& x) {
  const auto coded = quantizer.encode(at::tensor(x, at::kFloat)).codes.to(at::kLong).contiguous();
  std::vector<int64_t> codes(coded.const_data_ptr<int64_t>(), coded.const_data_ptr<int64_t>() + coded.numel());
  if (order.empty()) return codes;
  for (auto& code : codes) code = std::find(order.begin(), order.end(), code) - order.begin();
  return codes;
}

// The numbers an affine form may be made of: what the quantizer learned.
std::vector<float> scalars_of(Quantizer& quantizer) {
  std::vector<float> numbers;
  for (auto* tensors : {&quantizer.parameters(), &quantizer.state()})
    for (const auto& [name, tensor] : *tensors)
      if (tensor.is_floating_point() && tensor.numel() == 1) numbers.push_back(tensor.detach().item<float>());
  return numbers;
}

// Forms that uniform quantizers have. Which one it is, if any, the thresholds decide.
std::vector<FrozenEncoder> affine_forms(Quantizer& quantizer, const CodeMeaning& meaning) {
  std::vector<FrozenEncoder> forms;
  const auto steps = static_cast<float>(meaning.largest), low = static_cast<float>(meaning.shift);
  const auto scalars = scalars_of(quantizer);
  const auto add = [&](FrozenEncoder form) {
    form.kind = "affine";
    if (form.divide > 0) forms.push_back(form);
  };
  // round(clip((x - b) / s, lo, hi))
  add({.subtract = meaning.offset, .divide = meaning.scale, .lo = low, .hi = low + steps, .add = -meaning.shift});
  for (const float p : scalars) {
    add({.subtract = meaning.offset, .divide = std::fabs(p), .lo = low, .hi = low + steps, .add = -meaning.shift});
    // round(n clip(x / c, 0, 1))
    add({.divide = std::fabs(p), .lo = 0, .hi = 1, .multiply = steps});
    for (const float q : scalars) {
      add({.subtract = p, .divide = q - p, .lo = 0, .hi = 1, .multiply = steps});
      add({.subtract = p - std::fabs(q), .divide = 2 * std::fabs(q), .lo = 0, .hi = 1, .multiply = steps});
    }
  }
  // round(clip(x, 0, hi) n / unit)
  const float unit = std::nearbyint(steps * meaning.scale);
  if (unit > 0) {
    const auto per_unit = static_cast<float>(static_cast<double>(meaning.largest) / static_cast<double>(unit));
    add({.lo = 0, .hi = unit, .multiply = per_unit});
  }
  return forms;
}

}  // namespace

std::vector<int64_t> level_order(const at::Tensor& basis) {
  const auto values = basis.to(at::kDouble).contiguous();
  const auto* value = values.const_data_ptr<double>();
  std::vector<std::pair<double, int64_t>> levels;
  for (int64_t code = 0; code < int64_t{1} << values.numel(); ++code) {
    double level = 0;
    for (int64_t j = 0; j < values.numel(); ++j)
      if ((code >> j & 1) != 0) level += value[j];
    levels.emplace_back(level, code);
  }
  std::sort(levels.begin(), levels.end());
  std::vector<int64_t> order;
  for (const auto& [level, code] : levels) order.push_back(code);
  return order;
}

FrozenQuantizer freeze_quantizer(Quantizer& quantizer, const std::string& place) {
  const at::NoGradGuard no_gradient;
  const auto coded = quantizer.encode(at::zeros({1}, at::kFloat));
  constexpr float kMost = std::numeric_limits<float>::max();
  // A network that overflowed: nothing below is defined for what is no number.
  for (const auto& numbers : {coded.codes, coded.scale, coded.offset, coded.basis})
    if (numbers.defined() && !numbers.isfinite().all().item<bool>())
      throw UserError(ExitCode::usage, place + ": its quantizer's scale is not a finite number");
  FrozenQuantizer frozen;
  if (coded.basis.defined()) frozen.order = level_order(coded.basis);
  const auto encode_all = [&](const std::vector<float>& x) { return codes_of(quantizer, frozen.order, x); };
  const auto ends = encode_all({-kMost, kMost});
  frozen.largest = coded.range.largest();
  auto& meaning = frozen.meaning;
  const bool sign = ends[0] == -1 && ends[1] == 1 && quantizer.levels() == 2;
  meaning.step = sign ? 2 : 1;
  meaning.shift = static_cast<int32_t>(ends[0]);
  const int64_t largest = (ends[1] - ends[0]) / meaning.step;
  if (largest > 255)
    throw UserError(ExitCode::usage, place + ": codes from " + std::to_string(ends[0]) + " to " +
                                         std::to_string(ends[1]) + " do not fit in 8 bits");
  meaning.largest = static_cast<int32_t>(largest);
  if (coded.basis.defined()) {
    const auto basis = coded.basis.to(at::kFloat).contiguous();
    frozen.basis.assign(basis.const_data_ptr<float>(), basis.const_data_ptr<float>() + basis.numel());
  } else {
    meaning.scale = coded.scale.item<float>();
    if (coded.offset.defined()) meaning.offset = coded.offset.item<float>();
  }
  std::vector<int64_t> targets;
  for (int64_t u = 1; u <= largest; ++u) targets.push_back(ends[0] + u * meaning.step);
  const auto thresholds = find_thresholds(encode_all, targets);
  if (largest > kFewLevels && !coded.basis.defined()) {
    for (const auto& form : affine_forms(quantizer, meaning)) {
      const auto encoder = affine_encoder(form, meaning.largest);
      const Encode encode = [&](const std::vector<float>& x) {
        std::vector<int64_t> codes;
        for (const float v : x) codes.push_back(ends[0] + meaning.step * requantize::encode(encoder, v));
        return codes;
      };
      if (encode({-kMost}).front() != ends[0] || encode({kMost}).front() != ends[1]) continue;
      if (find_thresholds(encode, targets) != thresholds) continue;
      frozen.encoder = form;
      return frozen;
    }
  }
  frozen.encoder.kind = "thresholds";
  frozen.encoder.table = thresholds;
  return frozen;
}

}  // namespace auxbench
