// One block is a few rows, cut into tiles of columns; a tile's constants are spread over its columns once, so that the
// loops over rows know nothing of channels. Rows of few numbers (channels last) are read several at a time.
#include "kernels/batch_norm/batch_norm.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/check.h"
#include "kernels/fake_quant/lanes.h"

namespace auxbench::batch_norm {
namespace {

constexpr std::size_t kTile = 2048;           // columns: constants and sums stay in the first cache
constexpr std::size_t kBlockNumbers = 32768;  // what a block should have
constexpr std::size_t kRowSums = 256;         // rows that are summed in T
constexpr std::size_t kNarrow = 64;           // columns that make a loop worth its start

// A map as rows and columns: `spread` rows of `outer` side by side where they are narrow, the last row shorter.
struct Grid {
  explicit Grid(const Map& map)
      : period(map.channels * map.inner),
        spread(period == 0 || period >= kNarrow ? 1 : (kNarrow + period - 1) / period),
        columns(period * spread),
        numbers(map.size()),
        rows(columns == 0 ? 0 : (numbers + columns - 1) / columns),
        rows_of_block(columns == 0 ? 1 : std::clamp<std::size_t>(kBlockNumbers / columns, 1, kRowSums)) {}

  [[nodiscard]] std::size_t blocks() const { return (rows + rows_of_block - 1) / rows_of_block; }

  std::size_t period, spread, columns, numbers, rows, rows_of_block;
};

// body(first column, columns, begin) for each row of a tile; begin: where its numbers lie.
template <typename Body>
[[gnu::always_inline]] inline void over_rows(const Grid& grid, std::size_t block, std::size_t column, std::size_t width,
                                             const Body& body) {
  const std::size_t last = std::min(grid.rows, (block + 1) * grid.rows_of_block);
  for (std::size_t row = block * grid.rows_of_block; row < last; ++row) {
    const std::size_t begin = row * grid.columns + column;
    if (begin >= grid.numbers) return;
    body(begin, std::min(width, grid.numbers - begin));
  }
}

// The channel's number for each column of a tile.
template <typename T>
void spread_out(std::span<const T> of_channels, const Map& map, std::size_t column, std::size_t width, T* out) {
  std::size_t within = column % map.inner, channel = column / map.inner % map.channels;
  for (std::size_t j = 0; j < width;) {
    const std::size_t run = std::min(map.inner - within, width - j);
    std::fill_n(out + j, run, of_channels[channel]);
    j += run;
    within = 0;
    if (++channel == map.channels) channel = 0;
  }
}

// Templates cannot be multiversioned, functions can.
#define AUXBENCH_LOOPS(T)                                                                                              \
  AUXBENCH_MULTIVERSION double sum_run(const T* x, std::size_t n) {                                                    \
    constexpr std::size_t kLanes = fake_quant::kLanes;                                                                 \
    double lane[kLanes] = {};                                                                                          \
    fake_quant::in_lanes(n, [&](std::size_t i, std::size_t l) { lane[l] += static_cast<double>(x[i]); });              \
    double total = 0;                                                                                                  \
    for (const double own : lane) total += own;                                                                        \
    return total;                                                                                                      \
  }                                                                                                                    \
  AUXBENCH_MULTIVERSION void add_row(const T* __restrict x, std::size_t n, T* __restrict sums) {                       \
    for (std::size_t j = 0; j < n; ++j) sums[j] += x[j];                                                               \
  }                                                                                                                    \
  AUXBENCH_MULTIVERSION void add_squares(const T* __restrict x, const T* __restrict mean, std::size_t n,               \
                                         T* __restrict sums) {                                                         \
    for (std::size_t j = 0; j < n; ++j) {                                                                              \
      const T away = x[j] - mean[j];                                                                                   \
      sums[j] += away * away;                                                                                          \
    }                                                                                                                  \
  }                                                                                                                    \
  AUXBENCH_MULTIVERSION void transform_row(const T* x, const T* __restrict alpha, const T* __restrict beta, T floor,   \
                                           std::size_t n, T* y) {                                                      \
    for (std::size_t j = 0; j < n; ++j) {                                                                              \
      const T value = x[j] * alpha[j] + beta[j];                                                                       \
      y[j] = value < floor ? floor : value;                                                                            \
    }                                                                                                                  \
  }                                                                                                                    \
  AUXBENCH_MULTIVERSION void transform_and_add_row(const T* x, const T* __restrict alpha, const T* __restrict beta,    \
                                                   const T* added, T floor, std::size_t n, T* y) {                     \
    for (std::size_t j = 0; j < n; ++j) {                                                                              \
      const T value = x[j] * alpha[j] + beta[j] + added[j];                                                            \
      y[j] = value < floor ? floor : value;                                                                            \
    }                                                                                                                  \
  }                                                                                                                    \
  AUXBENCH_MULTIVERSION void add_gradients(const T* __restrict x, const T* __restrict dy, const T* __restrict mean,    \
                                           std::size_t n, T* __restrict sums, T* __restrict products) {                \
    for (std::size_t j = 0; j < n; ++j) {                                                                              \
      sums[j] += dy[j];                                                                                                \
      products[j] += dy[j] * (x[j] - mean[j]);                                                                         \
    }                                                                                                                  \
  }                                                                                                                    \
  AUXBENCH_MULTIVERSION void add_masked_gradients(const T* __restrict x, const T* __restrict dy,                       \
                                                  const T* __restrict y, const T* __restrict mean, std::size_t n,      \
                                                  T* __restrict sums, T* __restrict products) {                        \
    for (std::size_t j = 0; j < n; ++j) {                                                                              \
      const T g = y[j] <= T(0) ? T(0) : dy[j];                                                                         \
      sums[j] += g;                                                                                                    \
      products[j] += g * (x[j] - mean[j]);                                                                             \
    }                                                                                                                  \
  }                                                                                                                    \
  AUXBENCH_MULTIVERSION void gradient_row(const T* __restrict x, const T* __restrict dy, const T* __restrict mean,     \
                                          const T* __restrict a, const T* __restrict k, const T* __restrict q,         \
                                          std::size_t n, T* __restrict dx) {                                           \
    for (std::size_t j = 0; j < n; ++j) dx[j] = (dy[j] - k[j] - (x[j] - mean[j]) * q[j]) * a[j];                       \
  }                                                                                                                    \
  AUXBENCH_MULTIVERSION void mask_row(const T* __restrict dy, const T* __restrict y, std::size_t n, T* __restrict g) { \
    for (std::size_t j = 0; j < n; ++j) g[j] = y[j] <= T(0) ? T(0) : dy[j];                                            \
  }
AUXBENCH_LOOPS(float)
AUXBENCH_LOOPS(double)
#undef AUXBENCH_LOOPS

// Adds a tile's columns to their channels.
template <typename T>
void add_to_channels(const T* columns, const Map& map, std::size_t column, std::size_t width, double* sums) {
  std::size_t within = column % map.inner, channel = column / map.inner % map.channels;
  for (std::size_t j = 0; j < width;) {
    const std::size_t run = std::min(map.inner - within, width - j);
    sums[channel] += run == 1 ? static_cast<double>(columns[j]) : sum_run(columns + j, run);
    j += run;
    within = 0;
    if (++channel == map.channels) channel = 0;
  }
}

// body(block, first column, columns) for each tile of the blocks.
template <typename Body>
void over_tiles(const Grid& grid, const Blocks& blocks, const Body& body) {
  AUXBENCH_CHECK(blocks.first <= blocks.last && blocks.last <= grid.blocks(), "blocks of this map");
  for (std::size_t block = blocks.first; block < blocks.last; ++block)
    for (std::size_t column = 0; column < grid.columns; column += kTile)
      body(block, column, std::min(kTile, grid.columns - column));
}

void check_sums(std::span<double> sums, const Map& map, const Blocks& blocks, std::size_t kinds) {
  AUXBENCH_CHECK(sums.size() >= blocks.last * kinds * map.channels, "sums for each block and channel");
  std::fill(sums.begin() + static_cast<std::ptrdiff_t>(blocks.first * kinds * map.channels),
            sums.begin() + static_cast<std::ptrdiff_t>(blocks.last * kinds * map.channels), 0.0);
}

}  // namespace

Blocks Blocks::of(const Map& map) { return {0, Grid(map).blocks()}; }

template <typename T>
void sum(std::span<const T> x, const Map& map, const Blocks& blocks, std::span<double> sums) {
  AUXBENCH_CHECK(x.size() == map.size(), "a map of this size");
  check_sums(sums, map, blocks, 1);
  const Grid grid(map);
  T own[kTile];
  over_tiles(grid, blocks, [&](std::size_t block, std::size_t column, std::size_t width) {
    std::fill_n(own, width, T(0));
    over_rows(grid, block, column, width, [&](std::size_t begin, std::size_t n) { add_row(x.data() + begin, n, own); });
    add_to_channels(own, map, column, width, sums.data() + block * map.channels);
  });
}

template <typename T>
void sum_squares(std::span<const T> x, std::span<const T> mean, const Map& map, const Blocks& blocks,
                 std::span<double> sums) {
  AUXBENCH_CHECK(x.size() == map.size() && mean.size() == map.channels, "a map of this size and its means");
  check_sums(sums, map, blocks, 1);
  const Grid grid(map);
  T own[kTile], means[kTile];
  over_tiles(grid, blocks, [&](std::size_t block, std::size_t column, std::size_t width) {
    std::fill_n(own, width, T(0));
    spread_out(mean, map, column, width, means);
    over_rows(grid, block, column, width,
              [&](std::size_t begin, std::size_t n) { add_squares(x.data() + begin, means, n, own); });
    add_to_channels(own, map, column, width, sums.data() + block * map.channels);
  });
}

void add_up(std::span<const double> sums, const Map& map, std::span<double> totals) {
  const std::size_t n = totals.size();
  AUXBENCH_CHECK(n > 0 ? n % map.channels == 0 && sums.size() % n == 0 : map.channels == 0, "sums of whole blocks");
  std::fill(totals.begin(), totals.end(), 0.0);
  for (std::size_t i = 0; i < sums.size(); i += n)
    for (std::size_t c = 0; c < n; ++c) totals[c] += sums[i + c];
}

template <typename T>
void transform(std::span<const T> x, std::span<const T> alpha, std::span<const T> beta, std::span<const T> added,
               bool relu, const Map& map, const Blocks& blocks, std::span<T> y) {
  AUXBENCH_CHECK(x.size() == map.size() && y.size() == map.size(), "maps of this size");
  AUXBENCH_CHECK(alpha.size() == map.channels && beta.size() == map.channels, "constants of each channel");
  AUXBENCH_CHECK(added.empty() || added.size() == map.size(), "a summand of this size");
  const Grid grid(map);
  const T floor = relu ? T(0) : -std::numeric_limits<T>::infinity();
  T alphas[kTile], betas[kTile];
  over_tiles(grid, blocks, [&](std::size_t block, std::size_t column, std::size_t width) {
    spread_out(alpha, map, column, width, alphas);
    spread_out(beta, map, column, width, betas);
    over_rows(grid, block, column, width, [&](std::size_t begin, std::size_t n) {
      if (added.empty())
        transform_row(x.data() + begin, alphas, betas, floor, n, y.data() + begin);
      else
        transform_and_add_row(x.data() + begin, alphas, betas, added.data() + begin, floor, n, y.data() + begin);
    });
  });
}

template <typename T>
void check_given(const Gradients<T>& given, const Map& map) {
  AUXBENCH_CHECK(given.x.size() == map.size() && given.dy.size() == map.size(), "maps of this size");
  AUXBENCH_CHECK(given.y.empty() || given.y.size() == map.size(), "an output of this size");
  AUXBENCH_CHECK(given.mean.size() == map.channels, "means of each channel");
}

template <typename T>
void sum_gradients(const Gradients<T>& given, const Map& map, const Blocks& blocks, std::span<double> sums) {
  check_given(given, map);
  check_sums(sums, map, blocks, 2);
  const Grid grid(map);
  T own[kTile], products[kTile], means[kTile];
  over_tiles(grid, blocks, [&](std::size_t block, std::size_t column, std::size_t width) {
    std::fill_n(own, width, T(0));
    std::fill_n(products, width, T(0));
    spread_out(given.mean, map, column, width, means);
    over_rows(grid, block, column, width, [&](std::size_t begin, std::size_t n) {
      const T *x = given.x.data() + begin, *dy = given.dy.data() + begin;
      if (given.y.empty())
        add_gradients(x, dy, means, n, own, products);
      else
        add_masked_gradients(x, dy, given.y.data() + begin, means, n, own, products);
    });
    double* of_block = sums.data() + 2 * block * map.channels;
    add_to_channels(own, map, column, width, of_block);
    add_to_channels(products, map, column, width, of_block + map.channels);
  });
}

template <typename T>
void differentiate(const Gradients<T>& given, std::span<const T> a, std::span<const T> k, std::span<const T> q,
                   const Map& map, const Blocks& blocks, std::span<T> dx, std::span<T> dadded) {
  check_given(given, map);
  AUXBENCH_CHECK(a.size() == map.channels && k.size() == map.channels && q.size() == map.channels,
                 "constants of each channel");
  AUXBENCH_CHECK(dx.size() == map.size() && (dadded.empty() || dadded.size() == map.size()), "gradients of this size");
  const Grid grid(map);
  T means[kTile], as[kTile], ks[kTile], qs[kTile], masked[kTile];
  over_tiles(grid, blocks, [&](std::size_t block, std::size_t column, std::size_t width) {
    spread_out(given.mean, map, column, width, means);
    spread_out(a, map, column, width, as);
    spread_out(k, map, column, width, ks);
    spread_out(q, map, column, width, qs);
    over_rows(grid, block, column, width, [&](std::size_t begin, std::size_t n) {
      const T* g = given.dy.data() + begin;
      if (!given.y.empty()) {
        T* own = dadded.empty() ? masked : dadded.data() + begin;
        mask_row(g, given.y.data() + begin, n, own);
        g = own;
      } else if (!dadded.empty()) {
        std::copy_n(g, n, dadded.data() + begin);
      }
      gradient_row(given.x.data() + begin, g, means, as, ks, qs, n, dx.data() + begin);
    });
  });
}

#define AUXBENCH_INSTANTIATE(T)                                                                                       \
  template void sum<T>(std::span<const T>, const Map&, const Blocks&, std::span<double>);                             \
  template void sum_squares<T>(std::span<const T>, std::span<const T>, const Map&, const Blocks&, std::span<double>); \
  template void transform<T>(std::span<const T>, std::span<const T>, std::span<const T>, std::span<const T>, bool,    \
                             const Map&, const Blocks&, std::span<T>);                                                \
  template void sum_gradients<T>(const Gradients<T>&, const Map&, const Blocks&, std::span<double>);                  \
  template void differentiate<T>(const Gradients<T>&, std::span<const T>, std::span<const T>, std::span<const T>,     \
                                 const Map&, const Blocks&, std::span<T>, std::span<T>);
AUXBENCH_INSTANTIATE(float)
AUXBENCH_INSTANTIATE(double)
#undef AUXBENCH_INSTANTIATE

}  // namespace auxbench::batch_norm
