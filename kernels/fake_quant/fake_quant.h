// Fake quantization as one pass over memory: round onto a grid, give back numbers of the same type.
//
// Torch-free: spans in, spans out, T = float | double. The caller splits long arrays among threads; no function
// here allocates or locks. The formulas are written in docs/quantizers.md and, slowly, in reference.h.
// Rounding is half to even. NaN in gives NaN out and no gradient.
#pragma once

#include <span>

namespace auxbench {

// Levels i / steps_per_unit * unit for integers i >= 0 up to hi.
//   forward   q(x) = round(clip(x, 0, hi) * steps / unit) / steps * unit
//   backward  dx = g where lo <= x <= hi, 0 elsewhere; at the bounds themselves as `bounds` says
// DoReFa [0,1]: hi 1, steps 2^k - 1, unit 1. relu6, author's code: hi 6, steps 2^k - 1, unit 1.
// relu6, true bits: hi 6, steps 2^k - 1, unit 6.
enum class BoundGradient {
  pass,         // clamp: gradient at both bounds
  stop,         // relu6, hardtanh: none at either
  stop_at_zero  // relu followed by clamp: none at 0, gradient at hi
};

struct ClipGrid {
  double hi = 1;
  double steps = 3;
  double unit = 1;
  BoundGradient bounds = BoundGradient::pass;
};

template <typename T>
void clip_quantize(std::span<const T> x, const ClipGrid& grid, std::span<T> out);

template <typename T>
void clip_quantize_backward(std::span<const T> x, std::span<const T> gradient, const ClipGrid& grid, std::span<T> out);

// DoReFa weights, k >= 2, from t = tanh(w) and M = max|t| over the whole tensor, n = 2^k - 1 steps:
//   q = 2 round(n (t / (2M) + 1/2)) / n - 1
template <typename T>
void dorefa_weight(std::span<const T> t, T max_abs, double steps, std::span<T> out);

// The part of the gradient that is local to an element: (1 - t^2) / M * g. The maximum's own share is one
// number, added by the caller to its elements: -sign(t_m) (1 - t_m^2) / M^2 * sum_j g_j t_j.
template <typename T>
void dorefa_weight_backward(std::span<const T> t, std::span<const T> gradient, T max_abs, std::span<T> out);

}  // namespace auxbench
