// Whether an encoder is what ONNX's QuantizeLinear computes. Torch-free.
#pragma once

#include <optional>
#include <vector>

#include "deploy/integer_network.h"

namespace auxbench {

// u = clip(round((v - subtract) / scale), lowest, lowest + largest) - lowest, rounding to nearest even: a Sub, then a
// QuantizeLinear and a Clip.
struct Rounding {
  float subtract = 0, scale = 1;
  int32_t lowest = 0;

  [[nodiscard]] float code(float v, int32_t largest) const;
};

// Threshold j is the smallest float whose code is at least j + 1; infinite where there is none, or no smallest.
std::vector<float> thresholds_of(const FrozenEncoder& encoder, int32_t largest);

// The rounding that gives the encoder's code for every float: tried at every threshold and its lower neighbour, between
// which codes of both stand still. Nothing where none of the likely ones does.
std::optional<Rounding> find_rounding(const FrozenEncoder& encoder, const CodeMeaning& codes);

}  // namespace auxbench
