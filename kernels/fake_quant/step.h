// Learned step size: LSQ, and with an offset LSQ+.
//
//   v = (x - b) / s, code = round(clip(v, lo, hi)), value = code s + b          s = |step| > 0
//   dx = g where lo <= v <= hi
//   ds = g (code - v) inside, g lo below, g hi above;  db = 0 inside, g outside
// The mask looks at v before rounding.
#pragma once

#include "kernels/fake_quant/formula.h"

namespace auxbench::fake_quant {

struct StepConfig {
  double lo = 0, hi = 3;
};

template <typename T>
struct Step {
  static constexpr std::size_t kSums = 2;
  static constexpr std::size_t kStatistics = 0;
  using Config = StepConfig;

  struct Element {
    T step, sign, offset, lo, hi;

    AUXBENCH_DEVICE T code(T x) const { return round_even(clamp((x - offset) / step, lo, hi)); }
    AUXBENCH_DEVICE T gradient(T x, T g, T* sums) const {
      const T v = (x - offset) / step;
      const T kept = clamp(v, lo, hi);
      const bool inside = v == kept;
      sums[0] = sign * g * (inside ? round_even(v) - v : kept);
      sums[1] = inside ? T(0) : g;
      return inside ? g : T(0);
    }
  };

  Config config;
  Parameter<T> step, offset;

  Step(const Config& chosen, Parameter<T> learned, Parameter<T> shift = {})
      : config(chosen), step(learned), offset(shift) {}

  AUXBENCH_DEVICE Element at(std::size_t piece) const {
    const T s = step.at(piece, T(1));
    return {positive(s), sign_of(s), offset.at(piece, T(0)), static_cast<T>(config.lo), static_cast<T>(config.hi)};
  }
};

}  // namespace auxbench::fake_quant
