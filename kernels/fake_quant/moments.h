// What quantizers ask of a whole tensor, in one pass over memory: mean, deviation, E|x|, E x^2, max |x|.
//
// measure() takes each piece's share (pieces.h), combine() puts the shares together in their order, so
// that the result does not depend on the number of threads. The deviation is that of Chan, Golub and LeVeque: squares
// around each piece's own mean, so that a mean far from zero costs no digits. NaN anywhere makes every moment NaN; an
// infinity makes mean and deviation NaN or infinite, and the largest infinite.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/fake_quant/formula.h"
#include "kernels/fake_quant/pieces.h"

namespace auxbench::fake_quant {

struct PieceMoments {
  double sum = 0;
  double squares = 0;  // sum of (x - mean of the piece)^2
  double magnitude = 0;
  double largest = 0;  // of |x|
};

// The moments as they lie in combine()'s result.
enum Moment : std::size_t { kMean, kDeviation, kMeanMagnitude, kMeanSquare, kLargest, kMoments };

// n numbers in pieces of `length`. The deviation is the unbiased one (n - 1); 0 for fewer than two numbers, as all
// moments are for none.
template <typename T>
AUXBENCH_DEVICE void combine(const PieceMoments* pieces, std::size_t n, std::size_t length, T* moments) {
  double sum = 0, magnitude = 0, largest = 0;
  const std::size_t count = (n + length - 1) / length;
  for (std::size_t piece = 0; piece < count; ++piece) {
    sum += pieces[piece].sum;
    magnitude += pieces[piece].magnitude;
    // A NaN wins and stays.
    if (!(pieces[piece].largest <= largest)) largest = largest != largest ? largest : pieces[piece].largest;
  }
  const auto total = static_cast<double>(n);
  const double mean = n == 0 ? 0 : sum / total;
  double squares = 0;
  for (std::size_t piece = 0; piece < count; ++piece) {
    const std::size_t left = n - piece * length;
    const auto own = static_cast<double>(left < length ? left : length);
    const double away = pieces[piece].sum / own - mean;
    squares += pieces[piece].squares + own * away * away;
  }
  moments[kMean] = static_cast<T>(mean);
  moments[kDeviation] = static_cast<T>(n < 2 ? 0 : std::sqrt(squares / (total - 1)));
  moments[kMeanMagnitude] = static_cast<T>(n == 0 ? 0 : magnitude / total);
  moments[kMeanSquare] = static_cast<T>(n == 0 ? 0 : squares / total + mean * mean);
  moments[kLargest] = static_cast<T>(largest);
}

// shares[piece] for the pieces first .. last - 1 of x. One core; no allocation, no lock. T = float | double.
template <typename T>
void measure(std::span<const T> x, const Pieces& pieces, std::span<PieceMoments> shares);

}  // namespace auxbench::fake_quant
