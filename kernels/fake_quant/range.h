// Learned clipping range of activations: PACT, and the Monash group's "clip-LSQ".
//
//   v = x / c, code = round(n clip(v, 0, 1)), value = code c / n          c = |clip| > 0, n = 2^k - 1
//   dx = g where 0 <= v <= 1
//   dc   PACT                 g where x >= c: the rounding residual is ignored
//        with the residual    g (code/n - v) inside, g above (v > 1)
#pragma once

#include "kernels/fake_quant/formula.h"

namespace auxbench::fake_quant {

struct RangeConfig {
  double steps = 3;
  bool residual = true;
};

template <typename T>
struct Range {
  static constexpr std::size_t kSums = 1;
  static constexpr std::size_t kStatistics = 0;
  using Config = RangeConfig;

  struct Element {
    T clip, sign, steps, residual;

    AUXBENCH_DEVICE T code(T x) const { return round_even(clamp(x / clip, T(0), T(1)) * steps); }
    AUXBENCH_DEVICE T gradient(T x, T g, T* sums) const {
      const T v = x / clip;
      const bool inside = within(v, T(0), T(1));
      const T rounding = round_even(clamp(v, T(0), T(1)) * steps) / steps - v;
      const T above = v >= T(1) ? T(1) : T(0);
      const T learned = inside ? rounding : above;
      sums[0] = sign * g * (residual * learned + (T(1) - residual) * above);
      return inside ? g : T(0);
    }
  };

  Config config;
  Parameter<T> clip;

  Range(const Config& chosen, Parameter<T> learned) : config(chosen), clip(learned) {}

  AUXBENCH_DEVICE Element at(std::size_t piece) const {
    const T c = clip.at(piece, T(1));
    return {positive(c), sign_of(c), static_cast<T>(config.steps), number_of<T>(config.residual)};
  }
};

}  // namespace auxbench::fake_quant
