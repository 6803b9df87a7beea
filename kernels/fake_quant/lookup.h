// What a code stands for, where that is no multiple of a scale: LQ-Nets' values and digits.
//
//   code(c) = table[c] for whole c in 0 .. 2^Bits - 1 (others read as the nearest below, at the ends as the ends)
//   dx = g
// One table for the tensor, or one for each piece. Levels are few: they are picked by comparisons, in registers.
#pragma once

#include "kernels/fake_quant/formula.h"

namespace auxbench::fake_quant {

template <typename T, int Bits>
struct Lookup : NoSums {
  static constexpr std::size_t kEntries = std::size_t{1} << Bits;
  using Config = NoConfig;

  struct Element {
    T table[kEntries];

    AUXBENCH_DEVICE T code(T c) const {
      T value = c == c ? table[0] : c;
      AUXBENCH_UNROLL
      for (std::size_t j = 1; j < kEntries; ++j) value = c >= static_cast<T>(j) ? table[j] : value;
      return value;
    }
    AUXBENCH_DEVICE T gradient(T, T g, T*) const { return g; }
  };

  Parameter<T> tables;  // [2^Bits] or [pieces, 2^Bits]

  Lookup(const Config&, Parameter<T> values) : tables(values) {}

  AUXBENCH_DEVICE Element at(std::size_t piece) const {
    const T* own = tables.values + (tables.per_piece ? piece * kEntries : 0);
    Element element{};
    AUXBENCH_UNROLL
    for (std::size_t j = 0; j < kEntries; ++j) element.table[j] = own[j];
    return element;
  }
};

template <typename T>
using Lookup1 = Lookup<T, 1>;
template <typename T>
using Lookup2 = Lookup<T, 2>;
template <typename T>
using Lookup3 = Lookup<T, 3>;
template <typename T>
using Lookup4 = Lookup<T, 4>;

}  // namespace auxbench::fake_quant
