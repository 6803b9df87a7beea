// What the methods share around a formula: counts of steps and levels, codes with a scale. For .cc files of this room.
#pragma once

#include "base/torch_prelude.h"
#include "quantizers/fused.h"
#include "quantizers/quantizer.h"

namespace auxbench {

// 2^k - 1: steps between the 2^k levels of k bits.
inline int64_t steps_of(int bits) { return (int64_t{1} << bits) - 1; }

inline Codes uniform_codes(const at::Tensor& codes, double scale, int64_t largest) {
  return {.codes = codes, .scale = at::full({}, scale, codes.options()), .largest = largest};
}

// A learned scale: what multiplies codes is its magnitude, as in the formulas.
inline at::Tensor positive_scale(const at::Tensor& learned, double divisor) {
  return learned.detach().abs().clamp_min(1e-8).div_(divisor);
}

inline at::Tensor number(double value) { return at::full({}, value, at::kDouble); }

// The codes of LSQ and LSQ+: signed for weights, from 0 for activations.
inline fake_quant::StepConfig step_grid(Role role, int bits) {
  const auto half = static_cast<double>(int64_t{1} << (bits - 1));
  if (role == Role::weight) return {.lo = -half, .hi = half - 1};
  return {.lo = 0, .hi = static_cast<double>(steps_of(bits))};
}

inline int64_t step_largest(const fake_quant::StepConfig& grid) {
  return static_cast<int64_t>(std::max(-grid.lo, grid.hi));
}

}  // namespace auxbench
