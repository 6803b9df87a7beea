// Sums of products of bits: for weights and activations of one or two bits (up to four products of bits a weight).
//
//   dot = sum over planes p of the weights, q of the activations of  sign_p 2^(p + q) popcount(W_p & A_q)
//
// The highest plane of a weight's two's complement counts negatively. Phase 0 splits the map into planes of bits, 32
// channels a word. Phase 1 gives each of the sixteen 32-bit lanes of a register to an output channel: a word of the
// activations is broadcast, and AND, VPOPCNTD, ADD count 512 products. Lanes are accumulators of channels in order, so
// nothing is left to sum or to reorder at the end. Planes are walked from the highest down, doubling what is counted
// so far: all planes share one set of accumulators.
//
// kPixels x kRegisters accumulators: each word of weights loaded serves kPixels pixels, each broadcast kRegisters x 16
// channels, so that loads hide behind the three operations. These bound it: 341 products of bits a cycle where two
// 512-bit operations issue in one (Zen 4, Intel), 683 where four do (Zen 5). Reached on Zen 4 with 64 to 512 channels,
// 3x3: 0.82 to 0.93 of it up to the sink; with one, 3.9 to 4.4 times the direct VNNI kernel's speed at w1a1, 2.1 to 2.4
// at w1a2 and w2a1, 1.1 to 1.25 at w2a2. Carry-save adders in front of the popcounts would need 2.5 operations a word
// for 3, but are no faster as measured: they wait for each other.
#include <immintrin.h>

#include "kernels/lowbit_conv/pixels.h"

namespace auxbench::lowbit_conv {
namespace {

constexpr int64_t kWord = 32;                       // channels in a word
constexpr int kPixels = 4, kRegisters = 4;          // at most, of one call of the inner loops
constexpr int64_t kChannels = kRegisters * kBlock;  // a block of output channels
constexpr int64_t kTilePixels = 14 * kPixels;       // handed to the sink at a time
constexpr int64_t kTaskPixels = 56, kTasks = 32;    // about; enough for threads to share, few enough to set up

// Sizes of a problem, in words. Maps of bits: [plane][n][rows][columns][words].
struct Layer {
  int64_t rows, columns, words, row, plane;  // of the padded map; words of a pixel, a row, a plane
  int64_t out_h, out_w;
  int64_t run;      // words of a row of taps
  int64_t weights;  // words of an output channel's plane
  int64_t blocks;   // of output channels
  int64_t task_rows, row_tasks, channel_tasks;

  explicit Layer(const Problem& p)
      : rows(p.h + 2 * p.pad),
        columns(p.w + 2 * p.pad),
        words(ceil_div(p.c, kWord)),
        row(columns * words),
        plane(p.n * rows * row),
        out_h((rows - p.r) / p.stride + 1),
        out_w((columns - p.s) / p.stride + 1),
        run(p.s * words),
        weights(p.r * run),
        blocks(ceil_div(p.out, kChannels)),
        task_rows(smaller_of(out_h, ceil_div(kTaskPixels, out_w))),
        row_tasks(ceil_div(out_h, task_rows)),
        channel_tasks(smaller_of(blocks, ceil_div(kTasks, p.n * row_tasks))) {}
};

// What `shared` holds: planes, then the sum of the codes of each pixel.
int64_t sums_at(const Problem& p, const Layer& layer) { return ceil_div(p.activation_bits * layer.plane * 4, 64) * 64; }

// --- Phase 0: a row of codes into words of bits.

// 64 channels into a word or two of each plane. Returns the sum of the codes.
template <int kPlanes>
inline __attribute__((always_inline)) int64_t split_codes(__m512i codes, int64_t plane, bool both, uint32_t* out) {
  int64_t sum = 0;
#pragma GCC unroll 4
  for (int q = 0; q < kPlanes; ++q, out += plane) {
    const uint64_t bits = _mm512_test_epi8_mask(codes, _mm512_set1_epi8(static_cast<char>(1 << q)));
    sum += _mm_popcnt_u64(bits) << q;
    if (both)
      __builtin_memcpy(out, &bits, sizeof bits);
    else
      *out = static_cast<uint32_t>(bits);
  }
  return sum;
}

template <int kPlanes>
void split(const Problem& p, const Layer& layer, int64_t index, const Arguments& arguments) {
  const auto& map = arguments.in;
  const int64_t n = index / layer.rows, y = index % layer.rows - p.pad;
  const int64_t map_row = (n * (map.h + 2 * map.border) + y + map.border) * (map.w + 2 * map.border);
  const uint8_t* in = map.data + (map_row + map.border - p.pad) * map.pixel;
  auto* out = reinterpret_cast<uint32_t*>(arguments.shared) + index * layer.row;
  auto* sums = reinterpret_cast<int32_t*>(arguments.shared + sums_at(p, layer)) + index * layer.columns;
  const int64_t whole = p.c / 64 * 64, left = p.c - whole;
  const __mmask64 rest = (uint64_t{1} << left) - 1;
  for (int64_t x = 0; x < layer.columns; ++x, in += map.pixel, out += layer.words) {
    int64_t sum = 0;
    for (int64_t c = 0; c < whole; c += 64)
      sum += split_codes<kPlanes>(_mm512_loadu_si512(in + c), layer.plane, true, out + c / kWord);
    // Another task owns what follows the row: not a word too many.
    if (left > 0)
      sum += split_codes<kPlanes>(_mm512_maskz_loadu_epi8(rest, in + whole), layer.plane, left > kWord,
                                  out + whole / kWord);
    sums[x] = static_cast<int32_t>(sum);
  }
}

using Split = void (*)(const Problem&, const Layer&, int64_t index, const Arguments&);
constexpr Split kSplit[] = {split<1>, split<2>, split<3>, split<4>};

// --- Phase 1.

struct Block {
  const uint32_t* in;       // planes, from the first tap of the task's first pixel on
  const uint32_t* weights;  // [planes from the highest down][r][run][registers][16]
  const int32_t* corrections;
  int64_t row, plane, run, rows;
  int weight_bits, activation_bits;
  int doublings;  // log2 of dot_factor
  int64_t tile_stride;
};

template <int kP, int kR, bool kNegative>
inline __attribute__((always_inline)) void count(const Block& b, const uint32_t* in, const int32_t* offsets,
                                                 const uint32_t* weights, __m512i (&acc)[size_t{kP}][size_t{kR}]) {
  for (int64_t r = 0; r < b.rows; ++r, in += b.row) {
    const uint32_t* pixels[size_t{kP}];
#pragma GCC unroll 8
    for (int i = 0; i < kP; ++i) pixels[i] = in + offsets[i];
    for (int64_t k = 0; k < b.run; ++k, weights += kR * kBlock) {
      __m512i w[size_t{kR}];
#pragma GCC unroll 8
      for (int j = 0; j < kR; ++j) w[j] = _mm512_load_si512(weights + j * kBlock);
#pragma GCC unroll 8
      for (int i = 0; i < kP; ++i) {
        const __m512i a = _mm512_set1_epi32(static_cast<int>(pixels[i][k]));
#pragma GCC unroll 8
        for (int j = 0; j < kR; ++j) {
          const __m512i ones = _mm512_popcnt_epi32(_mm512_and_si512(a, w[j]));
          acc[i][j] = kNegative ? _mm512_sub_epi32(acc[i][j], ones) : _mm512_add_epi32(acc[i][j], ones);
        }
      }
    }
  }
}

template <int kP, int kR>
inline __attribute__((always_inline)) void twice(__m512i (&acc)[size_t{kP}][size_t{kR}]) {
#pragma GCC unroll 8
  for (int i = 0; i < kP; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < kR; ++j) acc[i][j] = _mm512_add_epi32(acc[i][j], acc[i][j]);
}

// kP pixels from `first` on, kR * 16 channels.
template <int kP, int kR>
void convolve(const Block& b, const Pixels& pixels, int64_t first, int32_t* tile) {
  __m512i acc[size_t{kP}][size_t{kR}];
#pragma GCC unroll 8
  for (int i = 0; i < kP; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < kR; ++j) acc[i][j] = _mm512_setzero_si512();
  const int32_t* offsets = pixels.at + first;
  const int64_t plane_weights = b.rows * b.run * kR * kBlock;
  for (int q = b.activation_bits - 1; q >= 0; --q) {
    const uint32_t* in = b.in + q * b.plane;
    count<kP, kR, true>(b, in, offsets, b.weights, acc);
    if (b.weight_bits == 2) {
      twice<kP, kR>(acc);
      count<kP, kR, false>(b, in, offsets, b.weights + plane_weights, acc);
    } else if (q > 0) {
      twice<kP, kR>(acc);
    }
  }
  for (int d = 0; d < b.doublings; ++d) twice<kP, kR>(acc);
#pragma GCC unroll 8
  for (int i = 0; i < kP; ++i) {
    const __m512i sum = _mm512_set1_epi32(pixels.sums[first + i]);
    const int32_t* corrections = b.corrections + pixels.corrections[first + i];
#pragma GCC unroll 8
    for (int j = 0; j < kR; ++j) {
      const __m512i add = _mm512_add_epi32(sum, _mm512_load_si512(corrections + j * kBlock));
      _mm512_store_si512(tile + i * b.tile_stride + j * kBlock, _mm512_add_epi32(acc[i][j], add));
    }
  }
}

using Convolve = void (*)(const Block&, const Pixels&, int64_t first, int32_t* tile);
constexpr Convolve kConvolve[kPixels][kRegisters] = {
    {convolve<1, 1>, convolve<1, 2>, convolve<1, 3>, convolve<1, 4>},
    {convolve<2, 1>, convolve<2, 2>, convolve<2, 3>, convolve<2, 4>},
    {convolve<3, 1>, convolve<3, 2>, convolve<3, 3>, convolve<3, 4>},
    {convolve<4, 1>, convolve<4, 2>, convolve<4, 3>, convolve<4, 4>},
};

void multiply(const Problem& p, const Layer& layer, int64_t index, const Arguments& arguments, const Packed& packed) {
  const int64_t group = index % layer.channel_tasks, task = index / layer.channel_tasks;
  const int64_t y = task % layer.row_tasks * layer.task_rows;
  const Rows rows = {task / layer.row_tasks, y, smaller_of(y + layer.task_rows, layer.out_h), layer.out_w};
  const Pixels pixels(arguments.own, rows.pixels());
  const int64_t row = rows.n * layer.rows + rows.first * p.stride;
  const auto* sums = reinterpret_cast<const int32_t*>(arguments.shared + sums_at(p, layer)) + row * layer.columns;
  locate(p, rows, {sums, layer.columns, layer.words}, p.odd_weights ? p.activation_step : 0, packed, pixels);
  alignas(64) int32_t tile[kTilePixels * kChannels];
  Block b = {.in = reinterpret_cast<const uint32_t*>(arguments.shared) + row * layer.row,
             .row = layer.row,
             .plane = layer.plane,
             .run = layer.run,
             .rows = p.r,
             .weight_bits = p.weight_bits,
             .activation_bits = p.activation_bits,
             .doublings = (p.odd_weights ? 1 : 0) + (p.activation_step == 2 ? 1 : 0)};
  const int64_t last_block = layer.blocks * (group + 1) / layer.channel_tasks;
  for (int64_t block = layer.blocks * group / layer.channel_tasks; block < last_block; ++block) {
    const int64_t channel = block * kChannels, channels = smaller_of(kChannels, p.out - channel);
    const int64_t registers = ceil_div(channels, kBlock);
    b.weights = reinterpret_cast<const uint32_t*>(packed.body) + channel * layer.weights * p.weight_bits;
    b.corrections = packed.corrections + channel;
    b.tile_stride = registers * kBlock;
    for (int64_t first = 0; first < rows.pixels(); first += kTilePixels) {
      const int64_t last = smaller_of(first + kTilePixels, rows.pixels());
      for (int64_t i = first; i < last; i += kPixels) {
        const int64_t several = smaller_of(kPixels, last - i);
        kConvolve[several - 1][registers - 1](b, pixels, i, tile + (i - first) * b.tile_stride);
      }
      hand_over(rows, first, last, {.acc = tile, .stride = b.tile_stride, .channel = channel, .channels = channels},
                arguments);
    }
  }
}

void run(const Problem& p, int phase, int64_t first, int64_t last, const Arguments& arguments, const Packed& packed) {
  const Layer layer(p);
  for (int64_t index = first; index < last; ++index)
    if (phase == 0)
      kSplit[p.activation_bits - 1](p, layer, index, arguments);
    else
      multiply(p, layer, index, arguments, packed);
}

// --- Weights: [blocks][planes from the highest down][r][run][registers][16] words.

size_t body_bytes(const Problem& p) {
  return static_cast<size_t>(ceil_div(p.out, kBlock) * kBlock * Layer(p).weights * p.weight_bits * 4);
}

void pack(const Problem& p, const int8_t* codes, std::byte* body) {
  const Layer layer(p);
  auto* words = reinterpret_cast<uint32_t*>(body);
  for (int64_t o = 0; o < p.out; ++o) {
    const int64_t block = o / kChannels * kChannels;
    const int64_t width = smaller_of(kChannels, ceil_div(p.out - block, kBlock) * kBlock);
    for (int64_t plane = 0; plane < p.weight_bits; ++plane) {
      auto* to = words + block * layer.weights * p.weight_bits + plane * layer.weights * width + o - block;
      for (int64_t tap = 0; tap < p.r * p.s; ++tap)
        for (int64_t c = 0; c < p.c; ++c) {
          const int code = codes[(o * p.r * p.s + tap) * p.c + c];
          const uint32_t bit = static_cast<uint32_t>(code >> (p.weight_bits - 1 - plane)) & 1U;
          to[(tap * layer.words + c / kWord) * width] |= bit << (c % kWord);
        }
    }
  }
}

size_t shared_bytes(const Problem& p) {
  const Layer layer(p);
  return static_cast<size_t>(sums_at(p, layer) + p.n * layer.rows * layer.columns * 4);
}

size_t own_bytes(const Problem& p) {
  const Layer layer(p);
  return static_cast<size_t>(pixels_bytes(layer.task_rows * layer.out_w));
}

int64_t tasks(const Problem& p, int phase) {
  const Layer layer(p);
  return phase == 0 ? p.n * layer.rows : p.n * layer.row_tasks * layer.channel_tasks;
}

bool supports(const Problem& p) {
  const Layer layer(p);
  return p.weight_bits <= 2 && p.weight_bits * p.activation_bits <= 4 && layer.rows * layer.row < INT32_MAX;
}

double cost(const Problem& p) {
  const Layer layer(p);
  const auto tiles = static_cast<double>(p.n * layer.out_h * layer.out_w * ceil_div(p.out, kBlock));
  const auto words = static_cast<double>(layer.weights * p.weight_bits * p.activation_bits);
  const auto split = static_cast<double>(p.n * layer.rows * layer.columns * ceil_div(p.c, 64) * p.activation_bits);
  return tiles * (0.43 * words + 1.5) + 1.2 * split;
}

}  // namespace

extern const Kernel bit_serial_kernel;
const Kernel bit_serial_kernel = {
    .name = "bit-serial",
    .idea = "popcounts of bit planes, for weights and activations of one or two bits",
    .runs_on = [](const Isa& isa) { return isa.avx512 && isa.vpopcntdq; },
    .supports = supports,
    .cost = cost,
    .multiplied = [](const Problem&) { return Multiplied{.values = false}; },
    .body_bytes = body_bytes,
    .pack = pack,
    .shared_bytes = shared_bytes,
    .own_bytes = own_bytes,
    .phases = [](const Problem&) { return 2; },
    .tasks = tasks,
    .run = run,
};

}  // namespace auxbench::lowbit_conv
