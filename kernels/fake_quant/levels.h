// Levels at any places, thresholds between them: LQ-Nets and APoT.
//
// A level is found by counting the thresholds below x (strict: on a threshold the lower level is taken); each threshold
// adds its own amount to the code. The number of levels is 2^bits, known when compiled, so that no table is looked up.
#pragma once

#include "kernels/fake_quant/formula.h"

namespace auxbench::fake_quant {

inline constexpr std::size_t levels_of(int bits) { return std::size_t{1} << bits; }

// LQ-Nets. Parameters by piece (per tensor for activations, per output channel for weights), in order of the levels:
// 2^k - 1 thresholds, and 2^k codes, whose binary digits say which elements of the basis make up the level.
//   activations: dx = g where x <= the top level (there is no lower clip: ReLU comes first); weights: dx = g
// Statistics, for the basis' next estimate: for each threshold the number of x above it and their sum; then the sum of
// x.
template <typename T, int Bits>
struct LearnedLevels {
  static constexpr std::size_t kThresholds = levels_of(Bits) - 1;
  static constexpr std::size_t kSums = 0;
  static constexpr std::size_t kStatistics = 2 * kThresholds + 1;

  using Config = NoConfig;

  struct Element {
    T thresholds[kThresholds];
    T first, jumps[kThresholds];
    T top;

    AUXBENCH_DEVICE T code(T x) const {
      T code = x == x ? first : x;
      AUXBENCH_UNROLL
      for (std::size_t j = 0; j < kThresholds; ++j) code += x > thresholds[j] ? jumps[j] : T(0);
      return code;
    }
    AUXBENCH_DEVICE T gradient(T x, T g, T*) const { return x <= top ? g : T(0); }
    AUXBENCH_DEVICE void statistics(T x, T* sums) const {
      AUXBENCH_UNROLL
      for (std::size_t j = 0; j < kThresholds; ++j) {
        const bool above = x > thresholds[j];
        sums[2 * j] = above ? T(1) : T(0);
        sums[2 * j + 1] = above ? x : T(0);
      }
      sums[2 * kThresholds] = x;
    }
  };

  const T* thresholds;  // [pieces, 2^k - 1], or [2^k - 1] for all pieces
  const T* codes;       // [pieces, 2^k], or [2^k]
  const T* top;         // where the gradient ends; null: nowhere
  bool per_piece;

  LearnedLevels(const Config&, Parameter<T> between, Parameter<T> digits, Parameter<T> highest)
      : thresholds(between.values), codes(digits.values), top(highest.values), per_piece(between.per_piece) {}

  AUXBENCH_DEVICE Element at(std::size_t piece) const {
    const std::size_t row = per_piece ? piece : 0;
    const T* own_thresholds = thresholds + row * kThresholds;
    const T* own_codes = codes + row * (kThresholds + 1);
    Element element{};
    element.first = own_codes[0];
    AUXBENCH_UNROLL
    for (std::size_t j = 0; j < kThresholds; ++j) {
      element.thresholds[j] = own_thresholds[j];
      element.jumps[j] = own_codes[j + 1] - own_codes[j];
    }
    element.top = top == nullptr ? static_cast<T>(HUGE_VAL) : *top;
    return element;
  }
};

// APoT: fixed integer levels l_0 = 0 < l_1 < .. up to `denominator`, on [0, a] for activations and mirrored for
// weights.
//   v = (x - mean) / (deviation a), code = s l_nearest(min(|v|, 1) denominator), s the sign of v (activations: 1, v for
//   |v|), value = code a / denominator;   dx = g inside (weights of two bits: everywhere)
//   da = g (value/a - v) inside, g s outside
// dx is the gradient at u = v a; what mean and deviation add is the caller's, from sums[1] = dx and sums[2] = dx u.
struct FixedLevelsConfig {
  double levels[32] = {};  // ascending; the last is the denominator
  bool two_sided = false;
  bool masked = true;
};

template <typename T, int Bits>
struct FixedLevels {
  static constexpr std::size_t kThresholds = levels_of(Bits) - 1;
  static constexpr std::size_t kSums = 3;
  static constexpr std::size_t kStatistics = 0;
  using Config = FixedLevelsConfig;

  struct Element {
    T thresholds[kThresholds], jumps[kThresholds];
    T clip, width, sign, mean, denominator, per_denominator, sides_from, outside;

    AUXBENCH_DEVICE T normal(T x) const { return (x - mean) / width; }
    AUXBENCH_DEVICE T side(T v) const { return side_of(v, sides_from); }
    // Beyond the outermost thresholds there is nothing to count: that is the clip.
    AUXBENCH_DEVICE T level(T size) const {
      const T scaled = size * denominator;
      T code = T(0);
      AUXBENCH_UNROLL
      for (std::size_t j = 0; j < kThresholds; ++j) code += scaled > thresholds[j] ? jumps[j] : T(0);
      return code;
    }
    AUXBENCH_DEVICE T code(T x) const {
      const T v = normal(x);
      return v == v ? side(v) * level(side(v) * v) : v;
    }
    AUXBENCH_DEVICE T gradient(T x, T g, T* sums) const {
      const T v = normal(x);
      const T size = side(v) * v;  // below 0 only where levels are one-sided
      const bool inside = within(size, T(0), T(1));
      const T beyond = size > T(1) ? T(1) : T(0);
      const T slope = inside ? level(size) * per_denominator - size : beyond;
      const T dx = g * (inside ? T(1) : outside);
      sums[0] = sign * g * side(v) * slope;
      sums[1] = dx;
      sums[2] = dx * v * clip;
      return dx;
    }
  };

  Config config;
  Parameter<T> clip, mean, deviation;

  FixedLevels(const Config& chosen, Parameter<T> learned, Parameter<T> centre = {}, Parameter<T> spread = {})
      : config(chosen), clip(learned), mean(centre), deviation(spread) {}

  AUXBENCH_DEVICE Element at(std::size_t piece) const {
    Element element{};
    AUXBENCH_UNROLL
    for (std::size_t j = 0; j < kThresholds; ++j) {
      element.thresholds[j] = static_cast<T>((config.levels[j] + config.levels[j + 1]) / 2);
      element.jumps[j] = static_cast<T>(config.levels[j + 1] - config.levels[j]);
    }
    const T c = clip.at(piece, T(1));
    element.clip = positive(c);
    element.sign = sign_of(c);
    element.mean = mean.at(piece, T(0));
    element.width = deviation.at(piece, T(1)) * element.clip;
    element.denominator = static_cast<T>(config.levels[kThresholds]);
    element.per_denominator = T(1) / element.denominator;
    element.sides_from = sides_from<T>(config.two_sided);
    element.outside = number_of<T>(!config.masked);
    return element;
  }
};

template <typename T>
using LearnedLevels1 = LearnedLevels<T, 1>;
template <typename T>
using LearnedLevels2 = LearnedLevels<T, 2>;
template <typename T>
using LearnedLevels3 = LearnedLevels<T, 3>;
template <typename T>
using LearnedLevels4 = LearnedLevels<T, 4>;
template <typename T>
using FixedLevels1 = FixedLevels<T, 1>;
template <typename T>
using FixedLevels2 = FixedLevels<T, 2>;
template <typename T>
using FixedLevels3 = FixedLevels<T, 3>;
template <typename T>
using FixedLevels4 = FixedLevels<T, 4>;
template <typename T>
using FixedLevels5 = FixedLevels<T, 5>;

}  // namespace auxbench::fake_quant
