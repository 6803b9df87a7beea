#include "deploy/qdq_rounding.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "deploy/affine_encoder.h"

namespace auxbench {
namespace {

// The smallest float whose code is at least `wanted`, of codes that rise; infinite where there is none, or no smallest.
float threshold_of(const requantize::Encoder& encoder, int32_t wanted) {
  float below = -std::numeric_limits<float>::max(), reached = std::numeric_limits<float>::max();
  if (requantize::encode(encoder, below) >= wanted) return -std::numeric_limits<float>::infinity();
  if (requantize::encode(encoder, reached) < wanted) return std::numeric_limits<float>::infinity();
  for (;;) {
    const auto middle = static_cast<float>((static_cast<double>(below) + static_cast<double>(reached)) / 2);
    if (middle == below || middle == reached) return reached;
    (requantize::encode(encoder, middle) >= wanted ? reached : below) = middle;
  }
}

bool has_thresholds(const Rounding& rounding, const std::vector<float>& thresholds) {
  const auto largest = static_cast<int32_t>(thresholds.size());
  float wanted = 0;
  return std::all_of(thresholds.begin(), thresholds.end(), [&](float t) {
    wanted += 1;
    const float before = std::nextafter(t, -std::numeric_limits<float>::infinity());
    return std::isfinite(before) && rounding.code(t, largest) >= wanted && rounding.code(before, largest) < wanted;
  });
}

// The scale that looks right may be an ulp or two off, where the encoder divides and multiplies.
std::optional<Rounding> find_rounding(Rounding form, const std::vector<float>& thresholds) {
  for (int i = 0; i < 2; ++i) form.scale = std::nextafter(form.scale, 0.0F);
  for (int i = 0; i < 5; ++i, form.scale = std::nextafter(form.scale, std::numeric_limits<float>::infinity()))
    if (form.scale > 0 && std::isfinite(form.scale) && has_thresholds(form, thresholds)) return form;
  return std::nullopt;
}

}  // namespace

float Rounding::code(float v, int32_t largest) const {
  const auto low = static_cast<float>(lowest), high = static_cast<float>(lowest + largest);
  return std::clamp(std::nearbyint((v - subtract) / scale), low, high) - low;
}

std::vector<float> thresholds_of(const FrozenEncoder& frozen, int32_t largest) {
  if (frozen.kind == "thresholds") return frozen.table;
  const auto encoder = affine_encoder(frozen, largest);
  std::vector<float> found;
  for (int32_t u = 1; u <= largest; ++u) found.push_back(threshold_of(encoder, u));
  return found;
}

std::optional<Rounding> find_rounding(const FrozenEncoder& encoder, const CodeMeaning& codes) {
  if (codes.largest < 1) return std::nullopt;
  const auto thresholds = thresholds_of(encoder, codes.largest);
  std::vector<Rounding> forms;
  if (encoder.kind == "affine") {
    forms.push_back({encoder.subtract, encoder.divide / encoder.multiply, -encoder.add});
  } else {
    const float first = thresholds.front(), last = thresholds.back();
    for (const int32_t lowest : {codes.shift, 0})
      for (const float subtract : {0.0F, codes.offset}) {
        forms.push_back({subtract, codes.scale, lowest});
        forms.push_back({subtract, (last - subtract) / (static_cast<float>(lowest + codes.largest) - 0.5F), lowest});
        forms.push_back({subtract, (last - first) / static_cast<float>(codes.largest - 1), lowest});
      }
  }
  for (const auto& form : forms)
    if (const auto found = find_rounding(form, thresholds)) return found;
  return std::nullopt;
}

}  // namespace auxbench
