// N2UQ activations: learned thresholds in, equidistant levels out.
//
//   z = x s1; widths a_0 .. a_{n-1}, n = 2^k - 1, have a floor of 1e-3
//   interval i begins at b_i = start + a_0 + .. + a_{i-1}
//   threshold i is its middle, b_i + a_i/2: the paper's t_{i+1} = t_i + (a_{i-1} + a_i)/2
//   code = number of thresholds below or at z, value = code (2/n) s2
//
// The gradient is that of the piecewise linear curve that climbs by 2/n over each interval; outside there is none:
//
//   e = g s2 (2/n) / a_j in interval j
//   dx = e s1, dstart = -e, da_i = -e clip((z - b_i) / a_i, 0, 1), ds1 = e x, ds2 = g code 2/n
//
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
    T begins[kSteps + 1];  // the last: where the last interval ends
    T middles[kSteps], inverses[kSteps], s1, s2, rise;

    AUXBENCH_DEVICE T code_at(T z) const {
      T code = z == z ? T(0) : z;
      AUXBENCH_UNROLL
      for (std::size_t i = 0; i < kSteps; ++i) code += z >= middles[i] ? T(1) : T(0);
      return code;
    }
    AUXBENCH_DEVICE T code(T x) const { return code_at(x * s1); }
    AUXBENCH_DEVICE T gradient(T x, T g, T* sums) const {
      const T z = x * s1;
      T inverse = T(0);
      AUXBENCH_UNROLL
      for (std::size_t i = 0; i < kSteps; ++i) inverse = z >= begins[i] ? inverses[i] : inverse;
      inverse = z >= begins[kSteps] ? T(0) : inverse;
      const T slope = g * s2 * rise * inverse;
      sums[0] = -slope;
      AUXBENCH_UNROLL
      for (std::size_t i = 0; i < kSteps; ++i) {
        const T climbed = z >= begins[i + 1] ? T(1) : (z - begins[i]) * inverses[i];
        sums[1 + i] = z >= begins[i] ? -slope * climbed : T(0);
      }
      sums[1 + kSteps] = slope * x;
      sums[2 + kSteps] = g * code_at(z) * rise;
      return slope * s1;
    }
  };

  const T* learned;

  Thresholds(const Config&, Parameter<T> parameters) : learned(parameters.values) {}

  AUXBENCH_DEVICE Element at(std::size_t) const {
    Element element{};
    element.begins[0] = learned[0];
    AUXBENCH_UNROLL
    for (std::size_t i = 0; i < kSteps; ++i) {
      const T width = learned[1 + i] < T(1e-3) ? T(1e-3) : learned[1 + i];
      element.begins[i + 1] = element.begins[i] + width;
      element.middles[i] = element.begins[i] + width / T(2);
      element.inverses[i] = T(1) / width;
    }
    element.s1 = learned[1 + kSteps];
    element.s2 = learned[2 + kSteps];
    element.rise = T(2) / T(kSteps);
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
