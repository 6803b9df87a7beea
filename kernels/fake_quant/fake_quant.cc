// The vectorised path: plain loops, compiled once per instruction set and chosen at load time by the compiler's
// function multiversioning. -fno-math-errno and -fno-trapping-math (meson.build) let nearbyint become one instruction.
#include "kernels/fake_quant/fake_quant.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/fake_quant/lanes.h"

namespace auxbench::fake_quant {
namespace {

template <typename Element, typename T>
[[gnu::always_inline]] inline void encode_loop(const Element& element, const T* __restrict x, std::size_t n,
                                               T* __restrict codes) {
  for (std::size_t i = 0; i < n; ++i) codes[i] = element.code(x[i]);
}

template <std::size_t Statistics, typename Element, typename T>
[[gnu::always_inline]] inline void count_loop(const Element& element, const T* __restrict x, std::size_t n,
                                              T* __restrict codes, T* __restrict statistics) {
  if constexpr (Statistics == 0) {
    encode_loop(element, x, n, codes);
  } else {
    Lanes<Statistics, T> lanes;
    in_lanes(n, [&](std::size_t i, std::size_t l) {
      T own[Statistics];
      codes[i] = element.code(x[i]);
      element.statistics(x[i], own);
      lanes.add(own, l);
    });
    lanes.store(statistics);
  }
}

template <std::size_t Sums, typename Element, typename T>
[[gnu::always_inline]] inline void gradient_loop(const Element& element, const T* __restrict x, const T* __restrict g,
                                                 std::size_t n, T* __restrict dx, T* __restrict sums) {
  if constexpr (Sums == 0) {
    for (std::size_t i = 0; i < n; ++i) dx[i] = element.gradient(x[i], g[i], sums);
  } else {
    Lanes<Sums, T> lanes;
    in_lanes(n, [&](std::size_t i, std::size_t l) {
      T own[Sums];
      dx[i] = element.gradient(x[i], g[i], own);
      lanes.add(own, l);
    });
    lanes.store(sums);
  }
}

// Templates cannot be multiversioned, functions can.
#define AUXBENCH_LOOPS_FOR(Formula, T)                                                                              \
  AUXBENCH_MULTIVERSION void encode_piece(const Formula<T>::Element element, const T* x, std::size_t n, T* codes) { \
    encode_loop(element, x, n, codes);                                                                              \
  }                                                                                                                 \
  AUXBENCH_MULTIVERSION void count_piece(const Formula<T>::Element element, const T* x, std::size_t n, T* codes,    \
                                         T* statistics) {                                                           \
    count_loop<Formula<T>::kStatistics>(element, x, n, codes, statistics);                                          \
  }                                                                                                                 \
  AUXBENCH_MULTIVERSION void differentiate_piece(const Formula<T>::Element element, const T* x, const T* g,         \
                                                 std::size_t n, T* dx, T* sums) {                                   \
    gradient_loop<Formula<T>::kSums>(element, x, g, n, dx, sums);                                                   \
  }
#define AUXBENCH_LOOPS(Formula) AUXBENCH_LOOPS_FOR(Formula, float) AUXBENCH_LOOPS_FOR(Formula, double)
AUXBENCH_FORMULAS(AUXBENCH_LOOPS)

}  // namespace

template <typename Formula, typename T>
void encode(const Formula& formula, std::span<const T> x, const Pieces& pieces, std::span<T> codes,
            std::span<T> statistics) {
  constexpr std::size_t kCounts = Formula::kStatistics;
  AUXBENCH_CHECK(pieces.fit(x.size()), "pieces of this array");
  AUXBENCH_CHECK(x.size() == codes.size(), "as many codes as inputs");
  AUXBENCH_CHECK(statistics.empty() || statistics.size() >= pieces.last * kCounts, "statistics for each piece");
  for (std::size_t piece = pieces.first; piece < pieces.last; ++piece) {
    const std::size_t begin = piece * pieces.length, n = std::min(pieces.length, x.size() - begin);
    if (kCounts == 0 || statistics.empty())
      encode_piece(formula.at(piece), x.data() + begin, n, codes.data() + begin);
    else
      count_piece(formula.at(piece), x.data() + begin, n, codes.data() + begin, statistics.data() + piece * kCounts);
  }
}

template <typename Formula, typename T>
void differentiate(const Formula& formula, std::span<const T> x, std::span<const T> gradient, const Pieces& pieces,
                   std::span<T> dx, std::span<T> sums) {
  constexpr std::size_t kSums = Formula::kSums;
  AUXBENCH_CHECK(pieces.fit(x.size()), "pieces of this array");
  AUXBENCH_CHECK(x.size() == dx.size() && x.size() == gradient.size(), "as many gradients as inputs");
  AUXBENCH_CHECK(sums.size() >= pieces.last * kSums, "sums for each piece");
  for (std::size_t piece = pieces.first; piece < pieces.last; ++piece) {
    const std::size_t begin = piece * pieces.length, n = std::min(pieces.length, x.size() - begin);
    differentiate_piece(formula.at(piece), x.data() + begin, gradient.data() + begin, n, dx.data() + begin,
                        sums.data() + piece * kSums);
  }
}

#define AUXBENCH_LAST_ARGUMENT
#include "kernels/fake_quant/instantiate.inc"

}  // namespace auxbench::fake_quant
