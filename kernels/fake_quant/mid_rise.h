// Weights on a mid-rise grid (no level at zero): SAWB, clip-LSQ, N2UQ.
//
//   v = clip((w - mean) / (deviation a), -1, 1), code = 2 round(n (v/2 + 1/2)) - n, value = code a / n
//   a per tensor or per output channel, positive; mean and deviation are constants (0 and 1 without normalisation)
//   dw = g / deviation, everywhere or where |v| <= 1
//   da = g (code/n - v) inside, g sign(v) outside
#pragma once

#include "kernels/fake_quant/formula.h"

namespace auxbench::fake_quant {

struct MidRiseConfig {
  double steps = 3;
  bool masked = true;  // false: the gradient passes outside the clip too
};

template <typename T>
struct MidRise {
  static constexpr std::size_t kSums = 1;
  static constexpr std::size_t kStatistics = 0;
  using Config = MidRiseConfig;

  struct Element {
    T width, sign, mean, slope, outside_slope, steps, per_step, binary;

    AUXBENCH_DEVICE T ratio(T w) const { return (w - mean) / width; }
    AUXBENCH_DEVICE T code(T w) const { return mid_rise_code(clamp(ratio(w), T(-1), T(1)), steps, binary); }
    AUXBENCH_DEVICE T gradient(T w, T g, T* sums) const {
      const T v = ratio(w);
      const T kept = clamp(v, T(-1), T(1));
      const bool inside = v == kept;
      sums[0] = sign * g * (inside ? mid_rise_code(kept, steps, binary) * per_step - v : kept);
      return g * (inside ? slope : outside_slope);
    }
  };

  Config config;
  Parameter<T> clip, mean, deviation;

  MidRise(const Config& chosen, Parameter<T> learned, Parameter<T> centre = {}, Parameter<T> spread = {})
      : config(chosen), clip(learned), mean(centre), deviation(spread) {}

  AUXBENCH_DEVICE Element at(std::size_t piece) const {
    const T c = clip.at(piece, T(1)), spread = deviation.at(piece, T(1)), n = static_cast<T>(config.steps);
    return {spread * positive(c),
            sign_of(c),
            mean.at(piece, T(0)),
            T(1) / spread,
            number_of<T>(!config.masked) / spread,
            n,
            T(1) / n,
            number_of<T>(config.steps == 1)};
  }
};

}  // namespace auxbench::fake_quant
