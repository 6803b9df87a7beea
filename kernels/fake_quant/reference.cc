#include "kernels/fake_quant/reference.h"

#include <cmath>

namespace auxbench::reference {

template <typename T>
T clip_quantize(T x, const ClipGrid& grid) {
  if (std::isnan(x)) return x;
  const T clipped = std::fmin(std::fmax(x, T(0)), static_cast<T>(grid.hi));
  return std::nearbyint(clipped * static_cast<T>(grid.steps / grid.unit)) / static_cast<T>(grid.steps) *
         static_cast<T>(grid.unit);
}

template <typename T>
T clip_quantize_backward(T x, T gradient, const ClipGrid& grid) {
  const T hi = static_cast<T>(grid.hi);
  if (x > T(0) && x < hi) return gradient;
  if (x == T(0) && grid.bounds == BoundGradient::pass) return gradient;
  if (x == hi && grid.bounds != BoundGradient::stop) return gradient;
  return T(0);
}

template <typename T>
T dorefa_weight(T t, T max_abs, double steps) {
  const T unit = t / (T(2) * max_abs) + T(0.5);
  const T n = static_cast<T>(steps);
  return T(2) * (std::nearbyint(unit * n) / n) - T(1);
}

template float clip_quantize<float>(float, const ClipGrid&);
template double clip_quantize<double>(double, const ClipGrid&);
template float clip_quantize_backward<float>(float, float, const ClipGrid&);
template double clip_quantize_backward<double>(double, double, const ClipGrid&);
template float dorefa_weight<float>(float, float, double);
template double dorefa_weight<double>(double, double, double);

}  // namespace auxbench::reference
