#include "quantizers/precision.h"

#include <algorithm>

namespace auxbench {

LayerPrecision PrecisionPlan::layer(LayerPosition position) const {
  if (!quantizes()) return {};
  LayerPrecision bits = {.weight_bits = weight_bits, .activation_bits = activation_bits};
  if (position == LayerPosition::inner) return bits;
  if (first_last == "float") return {};
  // Eight bits are never fewer than the rest has, and full precision stays full precision.
  if (first_last == "8-bit")
    bits = {.weight_bits = std::max(8, weight_bits), .activation_bits = std::max(8, activation_bits)};
  if (position == LayerPosition::first) bits.activation_bits = kFullPrecision;
  return bits;
}

std::map<std::string, double> PrecisionPlan::settings_for(Role role) const {
  const std::string prefix = role == Role::weight ? "weight." : "activation.";
  std::map<std::string, double> own;
  for (const auto& [name, value] : settings)
    if (name.starts_with(prefix)) own[name.substr(prefix.size())] = value;
  return own;
}

}  // namespace auxbench
