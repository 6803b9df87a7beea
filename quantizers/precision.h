// The precision plan: how many bits each layer's weights and input activations get.
#pragma once

#include <map>
#include <string>

namespace auxbench {

enum class Role { weight, activation };

inline constexpr int kFullPrecision = 32;

struct LayerPrecision {
  int weight_bits = kFullPrecision;
  int activation_bits = kFullPrecision;
};

// What the plan needs to know of a layer. Any number of layers may be first (they read images) or last (what they
// compute is an answer: class scores, boxes).
enum class LayerPosition { first, inner, last };

struct PrecisionPlan {
  std::string quantizer = "none";
  int weight_bits = kFullPrecision;
  int activation_bits = kFullPrecision;
  std::string first_last = "float";  // float | 8-bit | same
  // Of the method, each for one role: "weight.NAME", "activation.NAME".
  std::map<std::string, double> settings{};

  // A first layer's input are the images' own 8-bit pixels: its activations are never quantized again.
  [[nodiscard]] LayerPrecision layer(LayerPosition position) const;
  [[nodiscard]] std::map<std::string, double> settings_for(Role role) const;
  [[nodiscard]] bool quantizes() const { return quantizer != "none"; }
};

}  // namespace auxbench
