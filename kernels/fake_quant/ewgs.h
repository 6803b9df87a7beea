// EWGS: a learned range [l, h], and a gradient scaled element by element by the rounding error.
//
//   u = clip((x - l) / (h - l), 0, 1), i = round(n u)
//   activations  code = i,      value = code / n
//   weights      code = 2i - n, value = s code / n        s: learned scale of the layer's output
//   e = g times the value's slope over u (1, or 2s);  at u: e (1 + delta sign(e) (u - i/n))
//   inside 0 <= u <= 1: dx = that / (h - l), dl = that (u - 1) / (h - l), dh = -that u / (h - l);  ds = g code / n
#pragma once

#include "kernels/fake_quant/formula.h"

namespace auxbench::fake_quant {

struct EwgsConfig {
  double steps = 3;
  bool symmetric = true;  // weights
};

template <typename T>
struct Ewgs {
  static constexpr std::size_t kSums = 3;
  static constexpr std::size_t kStatistics = 0;
  using Config = EwgsConfig;

  struct Element {
    T low, width, sign, delta, steps, per_step;
    T slope, shift, learns_scale;  // code = slope i - shift
    T value_slope;                 // dvalue/du over the width

    AUXBENCH_DEVICE T index(T x) const { return round_even(clamp((x - low) / width, T(0), T(1)) * steps); }
    AUXBENCH_DEVICE T code(T x) const { return slope * index(x) - shift; }
    AUXBENCH_DEVICE T gradient(T x, T g, T* sums) const {
      const T v = (x - low) / width;
      const T u = clamp(v, T(0), T(1));
      const T level = round_even(u * steps) * per_step;
      const T e = value_slope * g;
      const T direction = e > T(0) ? T(1) : (e < T(0) ? T(-1) : T(0));
      const T scaled = v == u ? e * (T(1) + delta * direction * (u - level)) : T(0);
      sums[0] = scaled * (u - T(1));
      sums[1] = -scaled * u;
      sums[2] = sign * g * learns_scale * (slope * level - T(1));
      return scaled;
    }
  };

  Config config;
  Parameter<T> low, high, scale, delta;

  Ewgs(const Config& chosen, Parameter<T> l, Parameter<T> h, Parameter<T> output_scale, Parameter<T> error_scale)
      : config(chosen), low(l), high(h), scale(output_scale), delta(error_scale) {}

  AUXBENCH_DEVICE Element at(std::size_t piece) const {
    const T l = low.at(piece, T(0));
    const T s = scale.at(piece, T(1));
    const T n = static_cast<T>(config.steps), both = number_of<T>(config.symmetric);
    const T width = positive(high.at(piece, T(1)) - l), slope = T(1) + both;
    return {.low = l,
            .width = width,
            .sign = sign_of(s),
            .delta = delta.at(piece, T(0)),
            .steps = n,
            .per_step = T(1) / n,
            .slope = slope,
            .shift = both * n,
            .learns_scale = both,
            .value_slope = slope * positive(s) / width};
  }
};

}  // namespace auxbench::fake_quant
