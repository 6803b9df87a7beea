// N2UQ activations: learned thresholds in, equidistant levels out.
//
//   z = x s1; thresholds t_1 = start + a_0/2, t_{i+1} = t_i + (a_{i-1} + a_i)/2 for i = 1 .. n-1, n = 2^k - 1
//   code = number of thresholds below or at z, value = code (2/n) s2        intervals a_i have a floor of 1e-3
//   The gradient is that of the piecewise linear curve that climbs by 2/n over each interval, which begins where the
//   one before it ends, the first at `start`; outside there is none. d s2 = g code 2/n.
// Learned parameters in the order of `sums`: start, a_0 .. a_{n-1}, s1, s2; one array of n + 3 numbers holds them.
#pragma once

#include "kernels/fake_quant/formula.h"

namespace auxbench::fake_quant {

template <typename T, int Bits>
struct Thresholds {
  static constexpr std::size_t kSteps = (std::size_t{1} << Bits) - 1;
  static constexpr std::size_t kSums = kSteps + 3;
  static constexpr std::size_t kStatistics = 0;

  using Config = NoConfig;

  struct Element {
    T start, interval[kSteps], s1, s2;

    AUXBENCH_DEVICE T code(T x) const {
      const T z = x * s1;
      T code = z == z ? T(0) : z;
      T threshold = start + interval[0] / T(2);
      AUXBENCH_UNROLL
      for (std::size_t i = 0; i < kSteps; ++i) {
        code += z >= threshold ? T(1) : T(0);
        if (i + 1 < kSteps) threshold += (interval[i] + interval[i + 1]) / T(2);
      }
      return code;
    }
    AUXBENCH_DEVICE T gradient(T x, T g, T* sums) const {
      const T rise = T(2) / T(kSteps);
      const T z = x * s1;
      // z is in one interval or in none: that one is found first, so that there are two divisions and not two each.
      T begin = start, from = T(0), width = T(1), climbs = T(0);
      AUXBENCH_UNROLL
      for (std::size_t i = 0; i < kSteps; ++i) {
        const bool inside = (z >= begin) & (z < begin + interval[i]);
        from = inside ? begin : from;
        width = inside ? interval[i] : width;
        climbs = inside ? T(1) : climbs;
        begin += interval[i];
      }
      const T total = climbs > T(0) ? g * s2 * rise / width : T(0);
      const T own = total * (z - from) / width;
      sums[0] = -total;
      begin = start;
      T later = total;
      AUXBENCH_UNROLL
      for (std::size_t i = 0; i < kSteps; ++i) {
        const bool inside = (z >= begin) & (z < begin + interval[i]);
        later = inside ? T(0) : later;
        sums[1 + i] = inside ? -own : -later;
        begin += interval[i];
      }
      sums[1 + kSteps] = total * x;
      sums[2 + kSteps] = g * code(x) * rise;
      return total * s1;
    }
  };

  const T* learned;

  Thresholds(const Config&, Parameter<T> parameters) : learned(parameters.values) {}

  AUXBENCH_DEVICE Element at(std::size_t) const {
    Element element{};
    element.start = learned[0];
    AUXBENCH_UNROLL
    for (std::size_t i = 0; i < kSteps; ++i) element.interval[i] = learned[1 + i] < T(1e-3) ? T(1e-3) : learned[1 + i];
    element.s1 = learned[1 + kSteps];
    element.s2 = learned[2 + kSteps];
    return element;
  }
};

template <typename T>
using Thresholds1 = Thresholds<T, 1>;
template <typename T>
using Thresholds2 = Thresholds<T, 2>;
template <typename T>
using Thresholds3 = Thresholds<T, 3>;
template <typename T>
using Thresholds4 = Thresholds<T, 4>;

}  // namespace auxbench::fake_quant
