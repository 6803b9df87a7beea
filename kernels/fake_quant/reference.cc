#include "kernels/fake_quant/reference.h"

#include <cmath>

namespace auxbench::fake_quant::reference {

template <typename T>
T clip_level(T x, const ClipGrid& grid) {
  if (std::isnan(x)) return x;
  const T clipped = std::fmin(std::fmax(x, T(0)), static_cast<T>(grid.hi));
  return std::nearbyint(clipped * static_cast<T>(grid.steps / grid.unit)) / static_cast<T>(grid.steps) *
         static_cast<T>(grid.unit);
}

template <typename T>
T clip_gradient(T x, T gradient, const ClipGrid& grid) {
  const T hi = static_cast<T>(grid.hi);
  if (x > T(0) && x < hi) return gradient;
  if (x == T(0) && grid.bounds == BoundGradient::pass) return gradient;
  if (x == hi && grid.bounds != BoundGradient::stop) return gradient;
  return T(0);
}

template <typename T>
T dorefa_level(T t, double max_abs, double steps) {
  const T unit = t / (T(2) * static_cast<T>(max_abs)) + T(0.5);
  const T n = static_cast<T>(steps);
  return T(2) * (std::nearbyint(unit * n) / n) - T(1);
}

template <typename T>
T dorefa_gradient(T t, T gradient, double max_abs) {
  return (T(1) - t * t) * (T(1) / static_cast<T>(max_abs)) * gradient;
}

template float clip_level<float>(float, const ClipGrid&);
template double clip_level<double>(double, const ClipGrid&);
template float clip_gradient<float>(float, float, const ClipGrid&);
template double clip_gradient<double>(double, double, const ClipGrid&);
template float dorefa_level<float>(float, double, double);
template double dorefa_level<double>(double, double, double);
template float dorefa_gradient<float>(float, float, double);
template double dorefa_gradient<double>(double, double, double);

}  // namespace auxbench::fake_quant::reference
