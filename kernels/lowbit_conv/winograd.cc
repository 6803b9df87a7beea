// Exact integer Winograd F(2x2, 3x3) with AVX-512 VNNI (vpdpbusd), for 3x3, stride 1 and at most 4 bits of weight.
//
//   Y = A^T [ sum over c of (B^T d B) * (2G g (2G)^T) ] A = 4 x the 2x2 outputs of a tile of 4x4 inputs d
//
//         1  0 -1  0           2  0  0          1  1  1  0
//   B^T = 0  1  1  0      2G = 1  1  1    A^T = 0  1 -1 -1         16 products for 4 outputs instead of 36
//         0 -1  1  0           1 -1  1
//         0  1  0 -1           0  0  2
//
// All of it is integer, and the shift by 2 exact. Bounds, with U the largest code and W the largest |c'| multiplied:
// position (1, 1) of a transformed input lies in [0, 4U], all others in [-2U, 2U]; these are raised by 2U and the
// accumulators begin at minus what that adds, so the unsigned operand is at most 4U <= 255: up to 6 bits. A transformed
// filter is at most 9W <= 127: codes of 4 bits (72), values of an odd grid up to 3 bits (63). An odd grid of 4 bits
// (values: 135) multiplies codes; its row sums are box sums of a tile's codes in bytes, 9U <= 255: up to 4 bits of
// activation. Sums may wrap on the way; Y itself fits in int32, as supports() checks.
//
// Filters are transformed by pack(). A task is a block of tiles: transform its input, 64 channels an instruction, into
// v[16][tiles][c]; then for each block of 64 output channels and each group of 6 tiles the 16 matrix products (24
// accumulators, 10 loads for 24 vpdpbusd) into a buffer that L1 holds, the output transform and the sink. Where there
// are too few tiles for all threads, tasks share a block's channels and each transforms the input for itself: that is
// little work, and v, which is written anew for every image, never moves between the caches of cores.
//
// Bound by vpdpbusd, of which it needs 16/36 of the direct kernel's. What is around the products takes 30 % of the time
// at 64 channels, 16 % at 128, 8 % at 256; maps of odd size pay for whole tiles. Measured, with 256-bit units: 1.7
// (64), 1.9 (128), 2.05 (256) and on 7x7 maps 1.6 (512) times the direct VNNI kernel's speed. Blobs are 16/9 as large.
#include <immintrin.h>

#include "kernels/lowbit_conv/kernel.h"

namespace auxbench::lowbit_conv {
namespace {

constexpr int64_t kPositions = 16;             // of a transformed tile, i * 4 + j
constexpr int64_t kPlain = 5;                  // the one that cannot be negative: (1, 1)
constexpr int64_t kVector = 64;                // input channels of an instruction of the input transform
constexpr int64_t kWide = 4 * kBlock;          // output channels of a block
constexpr int64_t kGroup = 6;                  // tiles whose sums are kept in registers together
constexpr int64_t kTile = 2 * kWide;           // accumulators of a tile in one row of the sink's buffer
constexpr int64_t kAccRow = kGroup * kTile;    // from its upper to its lower row
constexpr int64_t kProducts = kGroup * kWide;  // sums of a group at one position
constexpr int64_t kTasks = 16;                 // enough for 8 threads to end nearly together
constexpr int64_t kLeastTiles = 4 * kGroup;    // of a block
constexpr int64_t kFewTiles = 2 * kGroup;      // a thread's, if it is to have tiles of its own
constexpr int64_t kTransformed = 256 * 1024;   // bytes of a block's transformed input that L2 surely holds
constexpr int64_t kFilters = 512 * 1024;       // and of filters, beside it

constexpr __mmask16 kAll = 0xffff;

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
int64_t quotient_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

Multiplied multiplied(const Problem& p) { return {.values = !(p.odd_weights && p.weight_bits == 4)}; }
int largest_code(const Problem& p) { return (1 << p.activation_bits) - 1; }
int raise_of(const Problem& p) { return 2 * largest_code(p); }

// How a problem is cut. Tiles are counted through all images: ((n rows) + row) columns + column.
struct Cut {
  int64_t rows, columns, tiles;
  int64_t depth;  // channels that are multiplied
  int64_t bytes;  // of a tile at one position
  int64_t padded_out;
  bool sums;                                                // whether row sums are wanted
  int64_t channel_blocks, tile_blocks, block_tiles, parts;  // parts: of a tile block's channels

  explicit Cut(const Problem& p)
      : rows(quotient_up(p.out_h(), 2)),
        columns(quotient_up(p.out_w(), 2)),
        tiles(p.n * rows * columns),
        depth(round_up(p.c, 4)),
        bytes(round_up(p.c, kVector)),
        padded_out(round_up(p.out, kBlock)),
        sums(multiplied(p).row_factor(p) != 0),
        channel_blocks(quotient_up(padded_out, kWide)),
        parts(1) {
    // Filters that do not fit in L2 come from beyond it for every block: the more tiles, the better.
    const int64_t held = kTransformed / (kPositions * bytes);
    const bool filters_fit = kPositions * padded_out * depth <= kFilters;
    tile_blocks = quotient_up(tiles, larger(kLeastTiles, filters_fit ? smaller(tiles / kTasks, held) : held));
    if (tiles >= kFewTiles * p.threads)
      tile_blocks = smaller(round_up(tile_blocks, p.threads), tiles);
    else
      parts = smaller(p.threads, channel_blocks);
    block_tiles = quotient_up(tiles, tile_blocks);
    tile_blocks = quotient_up(tiles, block_tiles);
  }

  // A transformed input: v[kPositions][count][bytes], then sums[count][4].
  [[nodiscard]] int64_t v_bytes(int64_t count) const { return kPositions * count * bytes; }
  [[nodiscard]] size_t input_bytes(int64_t count) const {
    const int64_t sum_bytes = sums ? 4 * count * static_cast<int64_t>(sizeof(int32_t)) : 0;
    return static_cast<size_t>(v_bytes(count) + round_up(sum_bytes, 64));
  }
};

struct Input {
  uint8_t* v;
  int32_t* sums;
  int64_t count;  // tiles

  Input(const Cut& cut, std::byte* memory, int64_t tiles)
      : v(reinterpret_cast<uint8_t*>(memory)),
        sums(reinterpret_cast<int32_t*>(memory + cut.v_bytes(tiles))),
        count(tiles) {}
};

// A tile's place.
struct Place {
  int64_t n, row, column;

  Place(const Cut& cut, int64_t tile)
      : n(tile / cut.columns / cut.rows), row(tile / cut.columns % cut.rows), column(tile % cut.columns) {}
};

// Body: filters [out / kWide][kPositions][depth / 4][kWide][4] int8, the last block as wide as it is; then what the
// accumulators begin with, [kPositions][padded_out] int32.
int64_t filter_bytes(const Cut& cut) { return kPositions * cut.padded_out * cut.depth; }

size_t body_bytes(const Problem& p) {
  const Cut cut(p);
  return static_cast<size_t>(filter_bytes(cut)) + static_cast<size_t>(kPositions * cut.padded_out) * sizeof(int32_t);
}

// from and to: three and four numbers, `step` and `to_step` apart.
void transform_filter(const int* from, int step, int* to, int to_step) {
  const int a = from[0], b = from[step], c = from[2 * step];
  to[0] = 2 * a;
  to[to_step] = a + b + c;
  to[2 * to_step] = a - b + c;
  to[3 * to_step] = 2 * c;
}

void pack(const Problem& p, const int8_t* codes, std::byte* body) {
  const Cut cut(p);
  auto* start = reinterpret_cast<int32_t*>(body + filter_bytes(cut));
  for (int64_t o = 0; o < p.out; ++o) {
    const int64_t block = o / kWide * kWide, width = smaller(kWide, cut.padded_out - block);
    auto* to = reinterpret_cast<int8_t*>(body) + block * kPositions * cut.depth + (o - block) * 4;
    for (int64_t c = 0; c < p.c; ++c) {
      int filter[9], columns[12], all[kPositions];
      for (int64_t t = 0; t < 9; ++t) filter[t] = codes[(o * 9 + t) * p.c + c];
      for (int s = 0; s < 3; ++s) transform_filter(filter + s, 3, columns + s, 3);
      for (int i = 0; i < 4; ++i) transform_filter(columns + 3 * i, 1, all + 4 * i, 1);
      for (int64_t i = 0; i < kPositions; ++i) {
        to[(i * cut.depth + c / 4 * 4) * width + c % 4] = static_cast<int8_t>(all[i]);
        if (i != kPlain) start[i * cut.padded_out + o] -= raise_of(p) * all[i];
      }
    }
  }
}

// The input transform.

__m512i add8(__m512i a, __m512i b) { return _mm512_add_epi8(a, b); }
__m512i sub8(__m512i a, __m512i b) { return _mm512_sub_epi8(a, b); }
__m512i add32(__m512i a, __m512i b) { return _mm512_add_epi32(a, b); }
__m512i sub32(__m512i a, __m512i b) { return _mm512_sub_epi32(a, b); }

// A column of four inputs.
struct Column {
  __m512i of[4];         // B^T d
  __m512i upper, lower;  // sums of the first and the last three
};

struct Source {
  const uint8_t* rows[4];
  int64_t pixel, columns;  // bytes from column to column; columns that there are
};

template <bool kSums>
Column load_column(const Source& source, int64_t x, int64_t channel, __mmask64 mask) {
  // Behind the last column, and row, anything will do: it counts in outputs alone that are not there.
  const int64_t at = smaller(x, source.columns - 1) * source.pixel + channel;
  const auto load = [&](int r) { return _mm512_maskz_loadu_epi8(mask, source.rows[r] + at); };
  const __m512i d0 = load(0), d1 = load(1), d2 = load(2), d3 = load(3), middle = add8(d1, d2);
  Column column = {.of = {sub8(d0, d2), middle, sub8(d2, d1), sub8(d1, d3)}, .upper = d0, .lower = d3};
  if (kSums) {
    column.upper = add8(d0, middle);
    column.lower = add8(middle, d3);
  }
  return column;
}

// Adds the sums of a tile's four boxes of 3x3, [y][x], over the vector's channels to the four sums.
void add_boxes(const Column& c0, const Column& c1, const Column& c2, const Column& c3, bool first, int32_t* sums) {
  const __m512i zero = _mm512_setzero_si512(), ones = _mm512_set1_epi8(1);
  const auto box = [&](__m512i a, __m512i b, __m512i c) {
    return _mm512_dpbusd_epi32(zero, add8(add8(a, b), c), ones);
  };
  // Two transposing sums, then the sum of the register's quarters.
  const auto merge = [](__m512i a, __m512i b) {
    return add32(_mm512_maskz_unpacklo_epi32(kAll, a, b), _mm512_maskz_unpackhi_epi32(kAll, a, b));
  };
  const __m512i upper = merge(box(c1.upper, c2.upper, c0.upper), box(c1.upper, c2.upper, c3.upper));
  const __m512i lower = merge(box(c1.lower, c2.lower, c0.lower), box(c1.lower, c2.lower, c3.lower));
  __m512i four =
      add32(_mm512_maskz_unpacklo_epi64(0xff, upper, lower), _mm512_maskz_unpackhi_epi64(0xff, upper, lower));
  four = add32(four, _mm512_maskz_shuffle_i32x4(kAll, four, four, 0x4e));
  four = add32(four, _mm512_maskz_shuffle_i32x4(kAll, four, four, 0xb1));
  if (!first) four = add32(four, _mm512_maskz_loadu_epi32(0xf, sums));
  _mm512_mask_storeu_epi32(sums, 0xf, four);
}

// `tiles` neighbours of one row of tiles. Two of a tile's columns are the next tile's.
template <bool kSums>
void transform_row(const Source& source, int64_t tiles, int64_t channels, int raise_by, uint8_t* v,
                   int64_t position_bytes, int64_t tile_bytes, int32_t* sums) {
  const __m512i raise = _mm512_set1_epi8(static_cast<char>(raise_by));
  for (int64_t channel = 0; channel < channels; channel += kVector) {
    const int64_t left = channels - channel;
    const __mmask64 mask = left >= kVector ? ~__mmask64{0} : (__mmask64{1} << left) - 1;
    Column c0 = load_column<kSums>(source, 0, channel, mask), c1 = load_column<kSums>(source, 1, channel, mask);
    for (auto& row : c0.of) row = add8(row, raise);
    uint8_t* to = v + channel;
    for (int64_t t = 0; t < tiles; ++t, to += tile_bytes) {
      const Column c2 = load_column<kSums>(source, 2 * t + 2, channel, mask);
      const Column c3 = load_column<kSums>(source, 2 * t + 3, channel, mask);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        const __m512i raised1 = add8(c1.of[i], raise), raised2 = add8(c2.of[i], raise);
        uint8_t* row = to + 4 * i * position_bytes;
        _mm512_store_si512(row, sub8(c0.of[i], c2.of[i]));
        _mm512_store_si512(row + position_bytes, add8(i == 1 ? c1.of[i] : raised1, c2.of[i]));
        _mm512_store_si512(row + 2 * position_bytes, sub8(raised2, c1.of[i]));
        _mm512_store_si512(row + 3 * position_bytes, sub8(raised1, c3.of[i]));
        c0.of[i] = raised2;
      }
      if (kSums) add_boxes(c0, c1, c2, c3, channel == 0, sums + 4 * t);
      c0.upper = c2.upper;
      c0.lower = c2.lower;
      c1 = c3;
    }
  }
}

// Tiles first .. last of the problem.
void transform_input(const Problem& p, const Cut& cut, const requantize::CodeMap<const uint8_t>& in, int64_t first,
                     int64_t last, const Input& to) {
  const auto transform = cut.sums ? transform_row<true> : transform_row<false>;
  for (int64_t at = 0; first < last;) {
    const Place place(cut, first);
    const int64_t tiles = smaller(cut.columns - place.column, last - first);
    Source source = {.rows = {}, .pixel = in.pixel, .columns = p.w + 2 * p.pad - 2 * place.column};
    for (int64_t r = 0; r < 4; ++r)
      source.rows[r] =
          in.at(place.n, smaller(2 * place.row + r, p.h + 2 * p.pad - 1) - p.pad, 2 * place.column - p.pad);
    transform(source, tiles, p.c, raise_of(p), to.v + at * cut.bytes, to.count * cut.bytes, cut.bytes,
              to.sums + 4 * at);
    first += tiles;
    at += tiles;
  }
}

// The products: `T` tiles, `tile_bytes` apart, by 16 B channels at one position.
template <size_t T, size_t B>
void multiply(const uint8_t* v, int64_t tile_bytes, const int8_t* filters, int64_t depth, const int32_t* start,
              int32_t* products) {
  __m512i acc[T][B];
#pragma GCC unroll 4
  for (size_t b = 0; b < B; ++b) {
    const __m512i from = _mm512_loadu_si512(start + b * kBlock);
#pragma GCC unroll 6
    for (size_t t = 0; t < T; ++t) acc[t][b] = from;
  }
#pragma GCC unroll 2
  for (int64_t k = 0; k < depth; k += 4, filters += B * 64) {
    __m512i filter[B];
#pragma GCC unroll 4
    for (size_t b = 0; b < B; ++b) filter[b] = _mm512_load_si512(filters + b * 64);
#pragma GCC unroll 6
    for (size_t t = 0; t < T; ++t) {
      const __m512i input =
          _mm512_set1_epi32(_mm_cvtsi128_si32(_mm_loadu_si32(v + static_cast<int64_t>(t) * tile_bytes + k)));
#pragma GCC unroll 4
      for (size_t b = 0; b < B; ++b) acc[t][b] = _mm512_dpbusd_epi32(acc[t][b], input, filter[b]);
    }
  }
#pragma GCC unroll 6
  for (size_t t = 0; t < T; ++t)
#pragma GCC unroll 4
    for (size_t b = 0; b < B; ++b) _mm512_store_si512(products + t * kWide + b * kBlock, acc[t][b]);
}

using Multiply = void (*)(const uint8_t*, int64_t, const int8_t*, int64_t, const int32_t*, int32_t*);

Multiply multiply_for(int64_t tiles, int64_t width) {
  static constexpr Multiply kAllSizes[kGroup][4] = {
      {multiply<1, 1>, multiply<1, 2>, multiply<1, 3>, multiply<1, 4>},
      {multiply<2, 1>, multiply<2, 2>, multiply<2, 3>, multiply<2, 4>},
      {multiply<3, 1>, multiply<3, 2>, multiply<3, 3>, multiply<3, 4>},
      {multiply<4, 1>, multiply<4, 2>, multiply<4, 3>, multiply<4, 4>},
      {multiply<5, 1>, multiply<5, 2>, multiply<5, 3>, multiply<5, 4>},
      {multiply<6, 1>, multiply<6, 2>, multiply<6, 3>, multiply<6, 4>},
  };
  return kAllSizes[tiles - 1][width / kBlock - 1];
}

// The output transform of a tile.

struct Finish {
  int shift;  // 2 less the factor of the dot product
  int32_t row_factor;

  explicit Finish(const Problem& p)
      : shift(2 - multiplied(p).dot_factor(p) / 2), row_factor(multiplied(p).row_factor(p)) {}
};

// corrections: of the four outputs, [y][x]; acc: the upper left one's.
template <bool kSums>
void finish_tile(const Finish& how, const int32_t* products, const int32_t* const (&corrections)[4],
                 const int32_t* sums, int64_t width, int32_t* acc) {
  const __m128i shift = _mm_cvtsi32_si128(how.shift);
  for (int64_t o = 0; o < width; o += kBlock) {
    __m512i half[4][2];
#pragma GCC unroll 4
    for (int64_t i = 0; i < 4; ++i) {
      const auto at = [&](int64_t j) { return _mm512_load_si512(products + (4 * i + j) * kProducts + o); };
      const __m512i m1 = at(1), m2 = at(2);
      half[i][0] = add32(add32(m1, m2), at(0));
      half[i][1] = sub32(sub32(m1, m2), at(3));
    }
    const auto put = [&](int64_t y, int64_t x, __m512i four_times) {
      __m512i value = _mm512_maskz_sra_epi32(kAll, four_times, shift);
      value = add32(value, _mm512_loadu_si512(corrections[2 * y + x] + o));
      if (kSums) value = add32(value, _mm512_set1_epi32(how.row_factor * sums[2 * y + x]));
      _mm512_store_si512(acc + y * kAccRow + x * kWide + o, value);
    };
#pragma GCC unroll 2
    for (int64_t x = 0; x < 2; ++x) {
      put(0, x, add32(add32(half[1][x], half[2][x]), half[0][x]));
      put(1, x, sub32(sub32(half[1][x], half[2][x]), half[3][x]));
    }
  }
}

// What a task works on, but for the tiles and channels.
struct Task {
  const Problem& p;
  const Cut& cut;
  const Arguments& arguments;
  const Packed& packed;
  Input input;
  int32_t* products;  // [kPositions][kGroup][kWide]
  int32_t* acc;       // [2][2 kGroup][kWide]
};

// Outputs of a group: `tiles` from `first` on, `at` in task.input.
void finish_group(const Task& task, int64_t first, int64_t tiles, int64_t at, int64_t channel) {
  const auto& p = task.p;
  const auto& cut = task.cut;
  const Finish how(p);
  const auto finish = cut.sums ? finish_tile<true> : finish_tile<false>;
  const int64_t out_h = p.out_h(), out_w = p.out_w(), width = smaller(kWide, cut.padded_out - channel);
  for (int64_t done = 0; done < tiles;) {
    const Place place(cut, first + done);
    const int64_t run = smaller(cut.columns - place.column, tiles - done);
    const int64_t y = 2 * place.row, x = 2 * place.column;
    const auto correction = [&](int64_t row, int64_t column) {
      return task.packed.correction(smaller(row, out_h - 1), smaller(column, out_w - 1), cut.padded_out) + channel;
    };
    for (int64_t t = 0; t < run; ++t) {
      const int64_t left = x + 2 * t;
      const int32_t* const corrections[4] = {correction(y, left), correction(y, left + 1), correction(y + 1, left),
                                             correction(y + 1, left + 1)};
      finish(how, task.products + (done + t) * kWide, corrections, task.input.sums + 4 * (at + done + t), width,
             task.acc + t * kTile);
    }
    for (int64_t i = 0; i < smaller(2, out_h - y); ++i)
      task.arguments.sink(*task.arguments.epilogue, {.acc = task.acc + i * kAccRow,
                                                     .stride = kWide,
                                                     .image = place.n,
                                                     .y = y + i,
                                                     .x = x,
                                                     .pixels = smaller(2 * run, out_w - x),
                                                     .channel = channel,
                                                     .channels = smaller(kWide, p.out - channel)});
    done += run;
  }
}

// A block of channels of tiles first .. last, those of task.input.
void convolve(const Task& task, int64_t first, int64_t last, int64_t channel) {
  const auto& cut = task.cut;
  const int64_t width = smaller(kWide, cut.padded_out - channel), all = last - first;
  const auto* filters = reinterpret_cast<const int8_t*>(task.packed.body) + channel * kPositions * cut.depth;
  const auto* start = reinterpret_cast<const int32_t*>(task.packed.body + filter_bytes(cut)) + channel;
  const int64_t groups = quotient_up(all, kGroup);
  for (int64_t g = 0; g < groups; ++g) {
    const int64_t begin = all * g / groups, tiles = all * (g + 1) / groups - begin;
    const auto product = multiply_for(tiles, width);
    for (int64_t i = 0; i < kPositions; ++i)
      product(task.input.v + (i * task.input.count + begin) * cut.bytes, cut.bytes, filters + i * cut.depth * width,
              cut.depth, start + i * cut.padded_out, task.products + i * kProducts);
    finish_group(task, first + begin, tiles, begin, channel);
  }
}

// A thread's workspace: the sink's accumulators, the products, the block's transformed input.
constexpr int64_t kAccBytes = 2 * kAccRow * static_cast<int64_t>(sizeof(int32_t));
constexpr int64_t kInputAt = kAccBytes + kPositions * kProducts * static_cast<int64_t>(sizeof(int32_t));

size_t own_bytes(const Problem& p) {
  const Cut cut(p);
  return static_cast<size_t>(kInputAt) + cut.input_bytes(cut.block_tiles);
}

void run(const Problem& p, int, int64_t first, int64_t last, const Arguments& arguments, const Packed& packed) {
  const Cut cut(p);
  const Task task = {.p = p,
                     .cut = cut,
                     .arguments = arguments,
                     .packed = packed,
                     .input = Input(cut, arguments.own + kInputAt, cut.block_tiles),
                     .products = reinterpret_cast<int32_t*>(arguments.own + kAccBytes),
                     .acc = reinterpret_cast<int32_t*>(arguments.own)};
  for (int64_t i = first; i < last; ++i) {
    const int64_t part = i % cut.parts, begin = i / cut.parts * cut.block_tiles;
    const int64_t end = smaller(begin + cut.block_tiles, cut.tiles);
    transform_input(p, cut, arguments.in, begin, end, task.input);
    const int64_t last_block = cut.channel_blocks * (part + 1) / cut.parts;
    for (int64_t block = cut.channel_blocks * part / cut.parts; block < last_block; ++block)
      convolve(task, begin, end, block * kWide);
  }
}

bool supports(const Problem& p) {
  if (p.r != 3 || p.s != 3 || p.stride != 1 || p.weight_bits > 4) return false;
  if (p.activation_bits > (multiplied(p).row_factor(p) != 0 ? 4 : 6)) return false;
  const double weight = (1 << (p.weight_bits - 1)) * (p.odd_weights && multiplied(p).values ? 2.0 : 1.0);
  return 4.0 * static_cast<double>(p.taps()) * weight * largest_code(p) < 2147483648.0;
}

// Products, or with few tiles the reading of all filters from beyond L2; the transforms with the sink.
double cost(const Problem& p) {
  const Cut cut(p);
  const auto tiles = static_cast<double>(cut.tiles), out = static_cast<double>(cut.padded_out);
  const auto filters = static_cast<double>(filter_bytes(cut)), vectors = static_cast<double>(cut.bytes / kVector);
  const double products = filters * tiles / 226, reading = filters * 0.011;
  return (products > reading ? products : reading) + tiles * (18 * vectors + 1.45 * out);
}

}  // namespace

extern const Kernel winograd_kernel;
const Kernel winograd_kernel = {
    .name = "winograd-vnni",
    .idea = "exact integer Winograd F(2x2, 3x3), 8-bit dot products",
    .runs_on = [](const Isa& isa) { return isa.vnni; },
    .supports = supports,
    .cost = cost,
    .multiplied = multiplied,
    .body_bytes = body_bytes,
    .pack = pack,
    .shared_bytes = [](const Problem&) { return size_t{0}; },
    .own_bytes = own_bytes,
    .phases = [](const Problem&) { return 1; },
    .tasks =
        [](const Problem& p, int) {
          const Cut cut(p);
          return cut.tile_blocks * cut.parts;
        },
    .run = run,
};

}  // namespace auxbench::lowbit_conv
