// Fake quantization as one pass over memory: round onto a grid, give back numbers of the same type.
//
// Torch-free: spans in, spans out, T = float | double. A formula is a functor over one element; map() applies it to
// arrays, on the CPU here and on a GPU in cuda.h, with the same bits. A new formula is a functor and a word in the list
// at the end; reference.h has each written slowly. Rounding is half to even. NaN in gives NaN out and no gradient.
#pragma once

#include <cmath>
#include <span>

#if defined(__CUDACC__)
#define AUXBENCH_DEVICE __host__ __device__
#else
#define AUXBENCH_DEVICE
#endif

namespace auxbench::fake_quant {

// Levels i / steps * unit for integers i >= 0 up to hi.
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
struct ClipLevel {
  T hi, scale, steps, unit;

  explicit ClipLevel(const ClipGrid& grid)
      : hi(static_cast<T>(grid.hi)),
        scale(static_cast<T>(grid.steps / grid.unit)),
        steps(static_cast<T>(grid.steps)),
        unit(static_cast<T>(grid.unit)) {}

  AUXBENCH_DEVICE T operator()(T x) const {
    // Written so that NaN stays NaN: both comparisons are false for it.
    const T lifted = x < T(0) ? T(0) : x;
    const T clipped = lifted > hi ? hi : lifted;
    return std::nearbyint(clipped * scale) / steps * unit;
  }
};

template <typename T>
struct ClipGradient {
  T lo, hi;

  // lo and hi become the outermost numbers inside the open or closed interval: one comparison serves all.
  explicit ClipGradient(const ClipGrid& grid) : lo(0), hi(static_cast<T>(grid.hi)) {
    if (grid.bounds != BoundGradient::pass) lo = std::nextafter(lo, T(1));
    if (grid.bounds == BoundGradient::stop) hi = std::nextafter(hi, T(0));
  }

  AUXBENCH_DEVICE T operator()(T x, T gradient) const { return (x >= lo) & (x <= hi) ? gradient : T(0); }
};

// DoReFa weights, k >= 2, from t = tanh(w) and M = max|t| over the whole tensor, n = 2^k - 1 steps:
//   q = 2 round(n (t / (2M) + 1/2)) / n - 1
template <typename T>
struct DorefaLevel {
  T two_max, steps;

  DorefaLevel(double max_abs, double grid_steps)
      : two_max(T(2) * static_cast<T>(max_abs)), steps(static_cast<T>(grid_steps)) {}

  AUXBENCH_DEVICE T operator()(T t) const {
    return T(2) * (std::nearbyint((t / two_max + T(0.5)) * steps) / steps) - T(1);
  }
};

// The part of the gradient that is local to an element: (1 - t^2) / M * g. The maximum's own share is one
// number, added by the caller to its elements: -sign(t_m) (1 - t_m^2) / M^2 * sum_j g_j t_j.
template <typename T>
struct DorefaGradient {
  T inverse_max;

  explicit DorefaGradient(double max_abs) : inverse_max(T(1) / static_cast<T>(max_abs)) {}

  AUXBENCH_DEVICE T operator()(T t, T gradient) const { return (T(1) - t * t) * inverse_max * gradient; }
};

// Formulas of one argument (levels) and of two (an element and the gradient that reaches it).
#define AUXBENCH_FORMULAS(unary, binary) unary(ClipLevel) unary(DorefaLevel) binary(ClipGradient) binary(DorefaGradient)

// out[i] = formula(x[i]) or formula(x[i], gradient[i]); out may alias either. One core: the caller splits long arrays.
// No allocation, no lock.
template <typename Formula, typename T>
void map(const Formula& formula, std::span<const T> x, std::span<T> out);
template <typename Formula, typename T>
void map(const Formula& formula, std::span<const T> x, std::span<const T> gradient, std::span<T> out);

}  // namespace auxbench::fake_quant
