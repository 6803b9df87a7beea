#include "kernels/fake_quant/moments.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/fake_quant/lanes.h"

namespace auxbench::fake_quant {
namespace {

template <typename T>
[[gnu::always_inline]] inline void measure_loop(const T* __restrict x, std::size_t n, PieceMoments& share) {
  Lanes<2, T> sums;
  T largest[kLanes] = {};
  in_lanes(n, [&](std::size_t i, std::size_t l) {
    const T own[2] = {x[i], magnitude(x[i])};
    sums.add(own, l);
    largest[l] = own[1] > largest[l] ? own[1] : largest[l];
  });
  share.sum = sums.total(0);
  share.magnitude = sums.total(1);
  share.largest = static_cast<double>(*std::max_element(largest, largest + kLanes));
  // The comparisons passed over a NaN; the sum did not.
  if (share.magnitude != share.magnitude) share.largest = share.magnitude;
  const T mean = static_cast<T>(share.sum / static_cast<double>(n));
  // The piece is in the nearest cache by now.
  Lanes<1, T> squares;
  in_lanes(n, [&](std::size_t i, std::size_t l) {
    const T own[1] = {(x[i] - mean) * (x[i] - mean)};
    squares.add(own, l);
  });
  share.squares = squares.total(0);
}

AUXBENCH_MULTIVERSION void measure_piece(const float* x, std::size_t n, PieceMoments& share) {
  measure_loop(x, n, share);
}
AUXBENCH_MULTIVERSION void measure_piece(const double* x, std::size_t n, PieceMoments& share) {
  measure_loop(x, n, share);
}

// Templates cannot be multiversioned, functions can.
#define AUXBENCH_LOOPS(T)                                                                                            \
  AUXBENCH_MULTIVERSION std::size_t count_run(const T* x, std::size_t n, T size) {                                   \
    std::size_t count = 0;                                                                                           \
    for (std::size_t i = 0; i < n; ++i) count += magnitude(x[i]) == size ? 1U : 0U;                                  \
    return count;                                                                                                    \
  }                                                                                                                  \
  AUXBENCH_MULTIVERSION void subtract_run(const T* __restrict x, std::size_t n, T size, T amount, T* __restrict y) { \
    for (std::size_t i = 0; i < n; ++i) {                                                                            \
      const T away = magnitude(x[i]) == size ? amount : T(0);                                                        \
      y[i] -= x[i] < T(0) ? -away : away;                                                                            \
    }                                                                                                                \
  }
AUXBENCH_LOOPS(float)
AUXBENCH_LOOPS(double)
#undef AUXBENCH_LOOPS

}  // namespace

template <typename T>
void measure(std::span<const T> x, const Pieces& pieces, std::span<PieceMoments> shares) {
  AUXBENCH_CHECK(pieces.fit(x.size()), "pieces of this array");
  AUXBENCH_CHECK(shares.size() >= pieces.last, "a share for each piece");
  for (std::size_t piece = pieces.first; piece < pieces.last; ++piece) {
    const std::size_t begin = piece * pieces.length;
    measure_piece(x.data() + begin, std::min(pieces.length, x.size() - begin), shares[piece]);
  }
}

template <typename T>
std::size_t count_of_magnitude(std::span<const T> x, T magnitude) {
  return count_run(x.data(), x.size(), magnitude);
}

template <typename T>
void subtract_at_magnitude(std::span<const T> x, T magnitude, T amount, std::span<T> y) {
  AUXBENCH_CHECK(x.size() == y.size(), "arrays of the same size");
  subtract_run(x.data(), x.size(), magnitude, amount, y.data());
}

template std::size_t count_of_magnitude<float>(std::span<const float>, float);
template std::size_t count_of_magnitude<double>(std::span<const double>, double);
template void subtract_at_magnitude<float>(std::span<const float>, float, float, std::span<float>);
template void subtract_at_magnitude<double>(std::span<const double>, double, double, std::span<double>);
template void measure<float>(std::span<const float>, const Pieces&, std::span<PieceMoments>);
template void measure<double>(std::span<const double>, const Pieces&, std::span<PieceMoments>);

}  // namespace auxbench::fake_quant
