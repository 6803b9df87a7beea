// What a fake-quantization formula is, and what its parts may use.
//
// A formula for numbers of type T is a small struct of constants and of pointers to its parameters, which lie where the
// data lie (so that a learned step on a GPU is never waited for). at(piece) loads the parameters of one piece (see
// fake_quant.h) and returns an element, which computes:
//
//   T code(T x) const                                the integer behind the level x is rounded to, as a T
//   T gradient(T x, T g, T* sums) const              dL/dx from g = dL/d(level's value); writes, for each of kSums
//                                                    learned parameters, this element's share of dL/dparameter
//   void statistics(T x, T* sums) const              kStatistics numbers to add up over the elements; only where > 0
//
// Rounding is half to even. NaN in gives a NaN code and whatever gradient the comparisons, all false for it, leave.
#pragma once

#include <cmath>
#include <cstddef>

#if defined(__CUDACC__)
#define AUXBENCH_DEVICE __host__ __device__
#else
#define AUXBENCH_DEVICE
#endif
// Loops over a formula's few levels: unrolled, so that their tables live in registers.
#if defined(__CUDA_ARCH__)
#define AUXBENCH_UNROLL _Pragma("unroll")
#elif defined(__CUDACC__)
#define AUXBENCH_UNROLL
#else
#define AUXBENCH_UNROLL _Pragma("GCC unroll 64")
#endif

namespace auxbench::fake_quant {

// A formula that learns nothing and counts nothing.
struct NoSums {
  static constexpr std::size_t kSums = 0;
  static constexpr std::size_t kStatistics = 0;
};

struct NoConfig {};

// A parameter: one number for the whole tensor, or one for each piece; a null pointer reads as `otherwise`.
template <typename T>
struct Parameter {
  const T* values = nullptr;
  bool per_piece = false;

  AUXBENCH_DEVICE T at(std::size_t piece, T otherwise) const {
    return values == nullptr ? otherwise : values[per_piece ? piece : 0];
  }
};

// Comparisons with NaN are false: NaN passes through.
template <typename T>
AUXBENCH_DEVICE T clamp(T x, T lo, T hi) {
  const T lifted = x < lo ? lo : x;
  return lifted > hi ? hi : lifted;
}

template <typename T>
AUXBENCH_DEVICE bool within(T x, T lo, T hi) {
  return (x >= lo) & (x <= hi);
}

template <typename T>
AUXBENCH_DEVICE T round_even(T x) {
  return std::nearbyint(x);
}

template <typename T>
AUXBENCH_DEVICE T magnitude(T x) {
  return x < T(0) ? -x : x;
}

// Scales are learned and may drift through zero; the formula keeps them positive.
template <typename T>
AUXBENCH_DEVICE T positive(T scale) {
  const T size = magnitude(scale);
  return size < T(1e-8) ? T(1e-8) : size;
}

template <typename T>
AUXBENCH_DEVICE T sign_of(T x) {
  return x < T(0) ? T(-1) : T(1);
}

// Choices that hold for a whole tensor are made with numbers (0 or 1) and bounds rather than with branches: a loop over
// such an element needs no two versions, and the compiler vectorises it.
template <typename T>
AUXBENCH_DEVICE T number_of(bool choice) {
  return choice ? T(1) : T(0);
}

// -1 below `from`, 1 elsewhere: the sign of x from 0 on, or no sign at all from minus infinity on.
template <typename T>
AUXBENCH_DEVICE T side_of(T x, T from) {
  return x < from ? T(-1) : T(1);
}

template <typename T>
AUXBENCH_DEVICE T sides_from(bool two_sided) {
  return two_sided ? T(0) : -static_cast<T>(HUGE_VAL);
}

// Mid-rise grid: 2^k odd codes -n, -n + 2 .. n for v in [-1, 1]. At one bit the sign decides, and zero is positive:
// `binary` is 1 there and 0 elsewhere.
template <typename T>
AUXBENCH_DEVICE T mid_rise_code(T v, T n, T binary) {
  const T code = T(2) * round_even((v * T(0.5) + T(0.5)) * n) - n;
  return (T(1) - binary) * code + binary * (v < T(0) ? T(-1) : T(1));
}

}  // namespace auxbench::fake_quant
