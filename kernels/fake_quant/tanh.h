// tanh(x) in plain arithmetic, so that a loop over it is vectorised and a GPU computes the same bits as the CPU.
// Products are added without being rounded (fma) where it says so and nowhere else; processors without such an
// instruction get the same bits from the library, slowly.
//
// float: within 2 units in the last place of the exact value (tests/kernels/fake_quant.cc tries a grid over all
// exponents); odd; -1 and 1 beyond 10, where they are the nearest floats. double: the library's, one at a time: it is
// for tests. NaN gives NaN.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/fake_quant/formula.h"

namespace auxbench::fake_quant {

AUXBENCH_DEVICE inline float float_of_bits(std::uint32_t bits) {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(bits);
#else
  return std::bit_cast<float>(bits);
#endif
}

AUXBENCH_DEVICE inline std::uint32_t bits_of_float(float x) {
#if defined(__CUDA_ARCH__)
  return __float_as_uint(x);
#else
  return std::bit_cast<std::uint32_t>(x);
#endif
}

// exp(y) for 0 <= y <= 40: 2^n exp(r) with n = round(y / log 2), |r| <= log(2)/2; exp(r) is the polynomial of degree 6
// whose relative error is smallest (2e-9).
AUXBENCH_DEVICE inline float exp_of_moderate(float y) {
  // Adding this pushes the fraction out: what stays in the low bits is n. Works for NaN too, unlike a conversion.
  constexpr float kShift = 12582912;  // 1.5 * 2^23
  const float shifted = std::fma(y, 1.44269504F, kShift);
  const float n = shifted - kShift;
  // log 2 in two parts.
  const float r = std::fma(n, 1.90465421e-9F, std::fma(n, -0.693147182F, y));
  float p = 0.0013836845755577087F;
  p = std::fma(p, r, 0.008374815806746483F);
  p = std::fma(p, r, 0.04166822507977486F);
  p = std::fma(p, r, 0.16666419804096222F);
  p = std::fma(p, r, 0.49999991059303284F);
  p = std::fma(p, r, 1.0F);
  p = std::fma(p, r, 1.0F);
  constexpr std::uint32_t kBias = 127;
  return p * float_of_bits((bits_of_float(shifted) + kBias) << 23U);
}

AUXBENCH_DEVICE inline float tanh_of(float x) {
  const float size = clamp(magnitude(x), 0.0F, 10.0F);
  // Below 0.625: x + x^3 P(x^2), P of degree 4 by the same criterion (4e-9 of P).
  const float z = x * x;
  float p = -0.005717045161873102F;
  p = std::fma(p, z, 0.02065058797597885F);
  p = std::fma(p, z, -0.05374349653720856F);
  p = std::fma(p, z, 0.13331490755081177F);
  p = std::fma(p, z, -0.3333328366279602F);
  const float near = std::fma(x * z, p, x);
  const float beyond = 1.0F - 2.0F / (exp_of_moderate(size + size) + 1.0F);
  const float far = x < 0.0F ? -beyond : beyond;
  return size < 0.625F ? near : far;
}

AUXBENCH_DEVICE inline double tanh_of(double x) { return std::tanh(x); }

}  // namespace auxbench::fake_quant
