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

// Over all pieces: what of PieceMoments adds up by itself.
struct Totals {
  double sum = 0;
  double magnitude = 0;
  double largest = 0;
};

// A NaN wins and stays.
AUXBENCH_DEVICE inline double larger(double a, double b) { return a != a || b <= a ? a : b; }

AUXBENCH_DEVICE inline double mean_of(const Totals& totals, std::size_t n) {
  return n == 0 ? 0 : totals.sum / static_cast<double>(n);
}

// The squares of piece number `piece`, of n numbers in pieces of `length`, around the mean of all.
AUXBENCH_DEVICE inline double squares_around(double mean, const PieceMoments& share, std::size_t piece, std::size_t n,
                                             std::size_t length) {
  const std::size_t left = n - piece * length;
  const auto own = static_cast<double>(left < length ? left : length);
  const double away = share.sum / own - mean;
  return share.squares + own * away * away;
}

// The deviation is the unbiased one (n - 1); 0 for fewer than two numbers, as all moments are for none.
template <typename T>
AUXBENCH_DEVICE void store_moments(const Totals& totals, double squares, std::size_t n, T* moments) {
  const auto total = static_cast<double>(n);
  const double mean = mean_of(totals, n);
  moments[kMean] = static_cast<T>(mean);
  moments[kDeviation] = static_cast<T>(n < 2 ? 0 : std::sqrt(squares / (total - 1)));
  moments[kMeanMagnitude] = static_cast<T>(n == 0 ? 0 : totals.magnitude / total);
  moments[kMeanSquare] = static_cast<T>(n == 0 ? 0 : squares / total + mean * mean);
  moments[kLargest] = static_cast<T>(totals.largest);
}

// The moments of n numbers in pieces of `length`, out of the shares of all pieces.
template <typename T>
void combine(const PieceMoments* pieces, std::size_t n, std::size_t length, T* moments) {
  Totals totals;
  const std::size_t count = (n + length - 1) / length;
  for (std::size_t piece = 0; piece < count; ++piece) {
    totals.sum += pieces[piece].sum;
    totals.magnitude += pieces[piece].magnitude;
    totals.largest = larger(totals.largest, pieces[piece].largest);
  }
  const double mean = mean_of(totals, n);
  double squares = 0;
  for (std::size_t piece = 0; piece < count; ++piece) squares += squares_around(mean, pieces[piece], piece, n, length);
  store_moments(totals, squares, n, moments);
}

// shares[piece] for the pieces first .. last - 1 of x. One core; no allocation, no lock. T = float | double.
template <typename T>
void measure(std::span<const T> x, const Pieces& pieces, std::span<PieceMoments> shares);

// How many of x have this magnitude, and y[i] -= sign(x[i]) amount for each of them: a gradient through the largest
// magnitude. `magnitude` is above 0. One core, for a part of a tensor; x and y of the same size. T = float | double.
template <typename T>
std::size_t count_of_magnitude(std::span<const T> x, T magnitude);
template <typename T>
void subtract_at_magnitude(std::span<const T> x, T magnitude, T amount, std::span<T> y);

}  // namespace auxbench::fake_quant
