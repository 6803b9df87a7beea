// What the methods share around a formula: counts of steps and levels, codes with a scale. For .cc files of this room.
#pragma once

#include "base/torch_prelude.h"
#include "quantizers/fused.h"
#include "quantizers/quantizer.h"

namespace auxbench {

// 2^k - 1: steps between the 2^k levels of k bits.
inline int64_t steps_of(int bits) { return (int64_t{1} << bits) - 1; }

// 0 .. n, and -n, -n + 2 .. n: no level at zero.
inline CodeRange from_zero(int64_t n) { return {.first = 0, .last = n}; }
inline CodeRange mid_rise(int64_t n) { return {.first = -n, .last = n, .step = 2}; }

inline Codes scaled_codes(const Encoded& found, const at::Tensor& scale, const CodeRange& range) {
  return {.codes = found.codes, .scale = scale, .range = range, .edge = found.edge};
}

inline Codes uniform_codes(const Encoded& found, double scale, const CodeRange& range) {
  return scaled_codes(found, at::full({}, scale, found.codes.options()), range);
}

// A learned scale: what multiplies codes is its magnitude, as in the formulas. The divisor is a tensor on the same
// device: by a plain number CUDA multiplies with its reciprocal, which rounds twice, and where the largest value lies
// halfway between two codes the other one would be taken.
inline at::Tensor positive_scale(const at::Tensor& learned, double divisor) {
  return learned.detach().abs().clamp_min(1e-8).div_(at::full({}, divisor, learned.options()));
}

inline at::Tensor number(double value) { return at::full({}, value, at::kDouble); }

// The codes of LSQ and LSQ+: signed for weights, from 0 for activations.
inline fake_quant::StepConfig step_grid(Role role, int bits) {
  const auto half = static_cast<double>(int64_t{1} << (bits - 1));
  if (role == Role::weight) return {.lo = -half, .hi = half - 1};
  return {.lo = 0, .hi = static_cast<double>(steps_of(bits))};
}

inline CodeRange range_of(const fake_quant::StepConfig& grid) {
  return {.first = static_cast<int64_t>(grid.lo), .last = static_cast<int64_t>(grid.hi)};
}

}  // namespace auxbench
