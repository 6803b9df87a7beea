// How an array is cut: into pieces of equal length, of which the last may be shorter. Rows of a weight tensor where
// parameters differ by output channel, kPiece elements otherwise. What is summed up is summed per piece, in an order
// that depends neither on the number of threads nor on the instruction set; the caller adds the pieces up.
#pragma once

#include <cstddef>

namespace auxbench::fake_quant {

inline constexpr std::size_t kPiece = 4096;

// How an array is cut, and which of its pieces to work on: first .. last - 1.
struct Pieces {
  std::size_t length = kPiece;
  std::size_t first = 0;
  std::size_t last = 0;

  // All pieces of an array of n elements.
  static Pieces of(std::size_t n, std::size_t length = kPiece) { return {length, 0, (n + length - 1) / length}; }

  // Whether they are pieces of an array of n elements.
  [[nodiscard]] bool fit(std::size_t n) const { return length > 0 && first <= last && last <= of(n, length).last; }
};

}  // namespace auxbench::fake_quant
