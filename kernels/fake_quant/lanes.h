// How the CPU's loops are compiled and how they add up. For .cc files of this room.
#pragma once

#include "kernels/fake_quant/formula.h"

// A function of plain loops, compiled once per instruction set and chosen when the program is loaded.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define AUXBENCH_MULTIVERSION __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define AUXBENCH_MULTIVERSION
#endif

namespace auxbench::fake_quant {

// Sums are kept in this many lanes, whatever the width of the vectors: the order of additions is the same everywhere.
inline constexpr std::size_t kLanes = 16;

template <std::size_t Sums, typename T>
struct Lanes {
  T lane[Sums][kLanes] = {};

  [[gnu::always_inline]] void add(const T* own, std::size_t l) {
    AUXBENCH_UNROLL
    for (std::size_t k = 0; k < Sums; ++k) lane[k][l] += own[k];
  }
  [[nodiscard, gnu::always_inline]] double total(std::size_t k) const {
    double sum = 0;
    for (std::size_t l = 0; l < kLanes; ++l) sum += static_cast<double>(lane[k][l]);
    return sum;
  }
  [[gnu::always_inline]] void store(T* sums) const {
    AUXBENCH_UNROLL
    for (std::size_t k = 0; k < Sums; ++k) sums[k] = static_cast<T>(total(k));
  }
};

// body(i, l) for every i < n, where l runs through the lanes.
template <typename Body>
[[gnu::always_inline]] inline void in_lanes(std::size_t n, const Body& body) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (std::size_t l = 0; l < kLanes; ++l) body(i + l, l);
  for (std::size_t l = 0; i < n; ++i, ++l) body(i, l);
}

}  // namespace auxbench::fake_quant
