// Batch norm in training, its gradient, and the affine map of its evaluation, with the sum and the ReLU that follow it
// folded in. (Ioffe and Szegedy 2015, algorithm 1.)
//
//   forward    mean_c = E x,  variance_c = E (x - mean_c)^2                      over outer and inner
//              y = max(alpha_c x + beta_c [+ added], floor)                      floor 0: ReLU; minus infinity: none
//   backward   g = dy where y > floor, else 0
//              G_c = sum g,  P_c = sum g (x - mean_c)
//              dx = (g - k_c - (x - mean_c) q_c) a_c                             d added = g
// with alpha = w s, beta = b - mean alpha, s = 1/sqrt(variance + eps), a = w s, k = G/n, q = s^2 P/n, n = outer inner;
// dw = P s, db = G: the caller's arithmetic (models/batch_norm.cc).
//
// Arrays lie as [outer, channels, inner]: N C H W is {N, C, H W}, N H W C is {N H W, C, 1}. They are cut into blocks of
// rows of `outer`. What is summed up is summed per block: first in T over at most kRowSums numbers, then in double, in an
// order that depends neither on the number of threads nor on the instruction set; add_up() puts blocks together. The
// product and the sum of alpha x + beta are each rounded once. NaN stays NaN.
//
// T = float | double. Sizes that disagree are a LogicFault. No allocation but for a few kB, no lock.
#pragma once

#include <cstddef>
#include <span>

namespace auxbench::batch_norm {

struct Map {
  std::size_t outer = 0;
  std::size_t channels = 0;
  std::size_t inner = 1;

  [[nodiscard]] std::size_t size() const { return outer * channels * inner; }
};

// Which blocks to work on: first .. last - 1.
struct Blocks {
  std::size_t first = 0;
  std::size_t last = 0;

  static Blocks of(const Map& map);
};

// sums[block][channel] = sum of x; of (x - mean)^2.
template <typename T>
void sum(std::span<const T> x, const Map& map, const Blocks& blocks, std::span<double> sums);
template <typename T>
void sum_squares(std::span<const T> x, std::span<const T> mean, const Map& map, const Blocks& blocks,
                 std::span<double> sums);

// totals[channel]: over all blocks, in their order.
void add_up(std::span<const double> sums, const Map& map, std::span<double> totals);

// added: empty or of x's size. y may be x.
template <typename T>
void transform(std::span<const T> x, std::span<const T> alpha, std::span<const T> beta, std::span<const T> added,
               bool relu, const Map& map, const Blocks& blocks, std::span<T> y);

// What the backward pass reads. y: empty where there is no ReLU.
template <typename T>
struct Gradients {
  std::span<const T> x, dy, y;
  std::span<const T> mean;
};

// sums[block][0][channel] = sum of g, sums[block][1][channel] = sum of g (x - mean).
template <typename T>
void sum_gradients(const Gradients<T>& given, const Map& map, const Blocks& blocks, std::span<double> sums);

// dadded: empty, or g.
template <typename T>
void differentiate(const Gradients<T>& given, std::span<const T> a, std::span<const T> k, std::span<const T> q,
                   const Map& map, const Blocks& blocks, std::span<T> dx, std::span<T> dadded);

}  // namespace auxbench::batch_norm
