// The vectorised path: plain loops, compiled once per instruction set and chosen at load time by the compiler's
// function multiversioning. -fno-math-errno and -fno-trapping-math (meson.build) let nearbyint become one instruction.
#include "kernels/fake_quant/fake_quant.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define AUXBENCH_MULTIVERSION __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define AUXBENCH_MULTIVERSION
#endif

namespace auxbench {
namespace {

template <typename T>
inline T clip(T x, T hi) {
  // Written so that NaN stays NaN: both comparisons are false for it.
  const T lifted = x < T(0) ? T(0) : x;
  return lifted > hi ? hi : lifted;
}

template <typename T>
inline void quantize_loop(const T* x, size_t n, T hi, T scale, T steps, T unit, T* out) {
  for (size_t i = 0; i < n; ++i) out[i] = std::nearbyint(clip(x[i], hi) * scale) / steps * unit;
}

// lo and hi are the closest numbers inside the open or closed interval, so that one form of comparison serves all.
template <typename T>
inline void mask_loop(const T* x, const T* g, size_t n, T lo, T hi, T* out) {
  for (size_t i = 0; i < n; ++i) out[i] = (x[i] >= lo) & (x[i] <= hi) ? g[i] : T(0);
}

template <typename T>
inline void weight_loop(const T* t, size_t n, T two_max, T steps, T* out) {
  for (size_t i = 0; i < n; ++i) out[i] = T(2) * (std::nearbyint((t[i] / two_max + T(0.5)) * steps) / steps) - T(1);
}

template <typename T>
inline void weight_gradient_loop(const T* t, const T* g, size_t n, T inverse_max, T* out) {
  for (size_t i = 0; i < n; ++i) out[i] = (T(1) - t[i] * t[i]) * inverse_max * g[i];
}

#define AUXBENCH_INSTANTIATE(T)                                                                             \
  AUXBENCH_MULTIVERSION void run_quantize(const T* x, size_t n, T hi, T scale, T steps, T unit, T* out) {   \
    quantize_loop(x, n, hi, scale, steps, unit, out);                                                       \
  }                                                                                                         \
  AUXBENCH_MULTIVERSION void run_mask(const T* x, const T* g, size_t n, T lo, T hi, T* out) {               \
    mask_loop(x, g, n, lo, hi, out);                                                                        \
  }                                                                                                         \
  AUXBENCH_MULTIVERSION void run_weight(const T* t, size_t n, T two_max, T steps, T* out) {                 \
    weight_loop(t, n, two_max, steps, out);                                                                 \
  }                                                                                                         \
  AUXBENCH_MULTIVERSION void run_weight_gradient(const T* t, const T* g, size_t n, T inverse_max, T* out) { \
    weight_gradient_loop(t, g, n, inverse_max, out);                                                        \
  }
AUXBENCH_INSTANTIATE(float)
AUXBENCH_INSTANTIATE(double)
#undef AUXBENCH_INSTANTIATE

}  // namespace

template <typename T>
void clip_quantize(std::span<const T> x, const ClipGrid& grid, std::span<T> out) {
  AUXBENCH_CHECK(x.size() == out.size(), "as many outputs as inputs");
  AUXBENCH_CHECK(grid.hi > 0 && grid.steps >= 1 && grid.unit > 0, "a grid with a positive range and at least one step");
  run_quantize(x.data(), x.size(), static_cast<T>(grid.hi), static_cast<T>(grid.steps / grid.unit),
               static_cast<T>(grid.steps), static_cast<T>(grid.unit), out.data());
}

template <typename T>
void clip_quantize_backward(std::span<const T> x, std::span<const T> gradient, const ClipGrid& grid, std::span<T> out) {
  AUXBENCH_CHECK(x.size() == out.size() && x.size() == gradient.size(), "as many gradients and outputs as inputs");
  const T top = static_cast<T>(grid.hi);
  const T lo = grid.bounds == BoundGradient::pass ? T(0) : std::nextafter(T(0), T(1));
  const T hi = grid.bounds == BoundGradient::stop ? std::nextafter(top, T(0)) : top;
  run_mask(x.data(), gradient.data(), x.size(), lo, hi, out.data());
}

template <typename T>
void dorefa_weight(std::span<const T> t, T max_abs, double steps, std::span<T> out) {
  AUXBENCH_CHECK(t.size() == out.size(), "as many outputs as inputs");
  run_weight(t.data(), t.size(), T(2) * max_abs, static_cast<T>(steps), out.data());
}

template <typename T>
void dorefa_weight_backward(std::span<const T> t, std::span<const T> gradient, T max_abs, std::span<T> out) {
  AUXBENCH_CHECK(t.size() == out.size() && t.size() == gradient.size(), "as many gradients and outputs as inputs");
  run_weight_gradient(t.data(), gradient.data(), t.size(), T(1) / max_abs, out.data());
}

template void clip_quantize<float>(std::span<const float>, const ClipGrid&, std::span<float>);
template void clip_quantize<double>(std::span<const double>, const ClipGrid&, std::span<double>);
template void clip_quantize_backward<float>(std::span<const float>, std::span<const float>, const ClipGrid&,
                                            std::span<float>);
template void clip_quantize_backward<double>(std::span<const double>, std::span<const double>, const ClipGrid&,
                                             std::span<double>);
template void dorefa_weight<float>(std::span<const float>, float, double, std::span<float>);
template void dorefa_weight<double>(std::span<const double>, double, double, std::span<double>);
template void dorefa_weight_backward<float>(std::span<const float>, std::span<const float>, float, std::span<float>);
template void dorefa_weight_backward<double>(std::span<const double>, std::span<const double>, double,
                                             std::span<double>);

}  // namespace auxbench
