// QIL: a learned quantization interval with centre c and half-width d. Below c - d a value is pruned, above c + d
// clipped.
//
//   u = (|x| - (c - d)) / (2d) clipped to [0, 1];  code = s round(q u^gamma), value = code / q
//   s = sign(x) for weights; activations are one-sided: u from x itself, s = 1
//   inside:  dx = g gamma u^(gamma-1) / (2d);  du/dc = -1/(2d), du/dd = (c - |x|)/(2 d^2), d gamma = u^gamma ln u
//   outside: nothing
// Interval has gamma = 1 and two learned parameters; IntervalPower learns gamma as well.
#pragma once

#include "kernels/fake_quant/formula.h"

namespace auxbench::fake_quant {

struct IntervalConfig {
  double steps = 1;
  bool two_sided = true;  // weights
};

template <typename T>
struct IntervalPosition {
  T centre, width, steps, sides_from;

  AUXBENCH_DEVICE T side(T x) const { return side_of(x, sides_from); }
  AUXBENCH_DEVICE T size(T x) const { return side(x) * x; }
  AUXBENCH_DEVICE T position(T size) const { return (size - (centre - width)) / (T(2) * width); }
};

template <typename T>
AUXBENCH_DEVICE IntervalPosition<T> interval_at(const IntervalConfig& config, T centre, T width) {
  return {centre, positive(width), static_cast<T>(config.steps), sides_from<T>(config.two_sided)};
}

template <typename T>
struct Interval {
  static constexpr std::size_t kSums = 2;
  static constexpr std::size_t kStatistics = 0;
  using Config = IntervalConfig;

  struct Element {
    IntervalPosition<T> in;

    AUXBENCH_DEVICE T code(T x) const {
      return in.side(x) * round_even(clamp(in.position(in.size(x)), T(0), T(1)) * in.steps);
    }
    AUXBENCH_DEVICE T gradient(T x, T g, T* sums) const {
      const T size = in.size(x);
      const bool inside = within(in.position(size), T(0), T(1));
      const T slope = inside ? g / (T(2) * in.width) : T(0);
      const T by_position = in.side(x) * slope;
      sums[0] = -by_position;
      sums[1] = by_position * (in.centre - size) / in.width;
      return slope;
    }
  };

  Config config;
  Parameter<T> centre, width;

  Interval(const Config& chosen, Parameter<T> c, Parameter<T> d) : config(chosen), centre(c), width(d) {}
  AUXBENCH_DEVICE Element at(std::size_t piece) const {
    return {interval_at(config, centre.at(piece, T(1)), width.at(piece, T(1)))};
  }
};

template <typename T>
struct IntervalPower {
  static constexpr std::size_t kSums = 3;
  static constexpr std::size_t kStatistics = 0;
  using Config = IntervalConfig;

  struct Element {
    IntervalPosition<T> in;
    T gamma;

    AUXBENCH_DEVICE T code(T x) const {
      return in.side(x) * round_even(std::pow(clamp(in.position(in.size(x)), T(0), T(1)), gamma) * in.steps);
    }
    AUXBENCH_DEVICE T gradient(T x, T g, T* sums) const {
      const T size = in.size(x);
      const T u = in.position(size);
      // At u = 0 itself the power's slope and the logarithm may be infinite: no gradient, as for pruned values.
      const bool inside = (u > T(0)) & (u <= T(1));
      const T base = inside ? u : T(1);
      const T slope = inside ? g * gamma * std::pow(base, gamma - T(1)) / (T(2) * in.width) : T(0);
      const T by_position = in.side(x) * slope;
      sums[0] = -by_position;
      sums[1] = by_position * (in.centre - size) / in.width;
      sums[2] = inside ? in.side(x) * g * std::pow(base, gamma) * std::log(base) : T(0);
      return slope;
    }
  };

  Config config;
  Parameter<T> centre, width, gamma;

  IntervalPower(const Config& chosen, Parameter<T> c, Parameter<T> d, Parameter<T> power)
      : config(chosen), centre(c), width(d), gamma(power) {}
  AUXBENCH_DEVICE Element at(std::size_t piece) const {
    return {interval_at(config, centre.at(piece, T(1)), width.at(piece, T(1))), gamma.at(piece, T(1))};
  }
};

}  // namespace auxbench::fake_quant
