// The slow truth of fake_quant.h: one element after the other, sums in double.
#pragma once

#include <algorithm>

#include "kernels/fake_quant/fake_quant.h"

namespace auxbench::fake_quant::reference {

template <typename Formula, typename T>
void encode(const Formula& formula, std::span<const T> x, const Pieces& pieces, std::span<T> codes,
            std::span<T> statistics = {}) {
  for (std::size_t piece = pieces.first; piece < pieces.last; ++piece) {
    const auto element = formula.at(piece);
    for (std::size_t i = piece * pieces.length; i < std::min(x.size(), (piece + 1) * pieces.length); ++i)
      codes[i] = element.code(x[i]);
    if constexpr (Formula::kStatistics > 0) {
      if (statistics.empty()) continue;
      double total[Formula::kStatistics] = {};
      for (std::size_t i = piece * pieces.length; i < std::min(x.size(), (piece + 1) * pieces.length); ++i) {
        T own[Formula::kStatistics];
        element.statistics(x[i], own);
        for (std::size_t k = 0; k < Formula::kStatistics; ++k) total[k] += static_cast<double>(own[k]);
      }
      for (std::size_t k = 0; k < Formula::kStatistics; ++k)
        statistics[piece * Formula::kStatistics + k] = static_cast<T>(total[k]);
    }
  }
}

template <typename Formula, typename T>
void differentiate(const Formula& formula, std::span<const T> x, std::span<const T> gradient, const Pieces& pieces,
                   std::span<T> dx, std::span<T> sums) {
  for (std::size_t piece = pieces.first; piece < pieces.last; ++piece) {
    const auto element = formula.at(piece);
    double total[Formula::kSums + 1] = {};
    for (std::size_t i = piece * pieces.length; i < std::min(x.size(), (piece + 1) * pieces.length); ++i) {
      T own[Formula::kSums + 1];
      dx[i] = element.gradient(x[i], gradient[i], own);
      for (std::size_t k = 0; k < Formula::kSums; ++k) total[k] += static_cast<double>(own[k]);
    }
    for (std::size_t k = 0; k < Formula::kSums; ++k) sums[piece * Formula::kSums + k] = static_cast<T>(total[k]);
  }
}

}  // namespace auxbench::fake_quant::reference
