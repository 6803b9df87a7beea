// DoReFa weights for k >= 2: t = tanh(w), M = max |t| over the tensor = tanh(max |w|) (an M of 0 reads as 1),
// n = 2^k - 1:
//
//   code = 2 round(n (t/(2M) + 1/2)) - n               value = code / n
//   dx = (1 - t^2) / M g: what is local to an element. Through the maximum, to be added at its elements by the caller:
//   -sign(t_m) (1 - t_m^2) / M^2 * sum_j g_j t_j, whose sum is sums[0]
#pragma once

#include "kernels/fake_quant/tanh.h"

namespace auxbench::fake_quant {

struct DorefaWeightConfig {
  double steps = 3;
};

template <typename T>
struct DorefaWeight {
  static constexpr std::size_t kSums = 1;
  static constexpr std::size_t kStatistics = 0;
  using Config = DorefaWeightConfig;

  struct Element {
    T half_per_max, per_max, steps;

    AUXBENCH_DEVICE T code(T w) const {
      return T(2) * round_even((tanh_of(w) * half_per_max + T(0.5)) * steps) - steps;
    }
    AUXBENCH_DEVICE T gradient(T w, T g, T* sums) const {
      const T t = tanh_of(w);
      sums[0] = g * t;
      return (T(1) - t * t) * per_max * g;
    }
  };

  T steps;
  Parameter<T> largest;  // max |w|

  DorefaWeight(const Config& config, Parameter<T> largest_weight)
      : steps(static_cast<T>(config.steps)), largest(largest_weight) {}

  AUXBENCH_DEVICE Element at(std::size_t piece) const {
    const T found = tanh_of(largest.at(piece, T(1))), max = found == T(0) ? T(1) : found;
    return {T(0.5) / max, T(1) / max, steps};
  }
};

}  // namespace auxbench::fake_quant
