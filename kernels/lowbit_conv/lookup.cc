// Sums from tables, for weights of 1 bit and activations of 1 to 5.
//
// A table of a pixel and six of its channels has 64 bytes: the sum of the codes of every choice out of the six. The
// weights of six input channels choose, they are an index of 6 bits; VPERMB looks up 64 output channels in a table at
// once. A table is made once and read for every tap and every output channel.
//
//   dot = sum c'_w u = sum over taps, sixes of channels of table(pixel, six)[index(o, tap, six)] - sum u
//
// since indices hold c'_w + 1. Sums of as many lookups as surely fit stay in bytes; then even and odd bytes are added
// up in two registers of 16-bit lanes; these go into int32 before they can overflow. Byte 4 i + j of an index register
// is for output channel 16 j + i of its 64: so masks and shifts of the 16-bit sums give sixteen channels in order.
//
// Tables take 11 times the room of the codes. A task makes those of a band of rows of an image, at most 2 MB that its
// core's caches hold, and uses them. Neighbours make the rows between them twice, and where there are too few rows for
// all threads, tasks that share a band's output channels make all of its tables: that costs less than to fetch from
// another core's cache what it has just written, and to take the memory back for the next image.
//
// Bound by VPERMB, one a cycle on Zen 4 and Intel, and VPADDB: two operations for 384 products, and three more to widen
// (after 42, 14, 6, 2 lookups or each one for 1 to 5 bits); with one register of output channels also by reading the
// tables. Making tables is bound by the traffic between L1 and L2, 4 cycles each: 0.18 of the time at 64 output
// channels, 0.08 at 256. Measured on Zen 4, 3x3, in times of the direct VNNI kernel's speed: 2.2 (64 channels), 3.1
// (128), 3.4 (256), 3.2 (512) for 2 bits; 2.0, 2.6, 2.9, 2.7 for 4 bits. Without many taps or output channels to read
// them, tables do not pay.
//
// Weights of 2 bits, three channels a table, would be 1.2 to 1.8 times as fast as the direct kernel, not faster than
// Winograd's or bit-serial.
#include <immintrin.h>

#include "kernels/lowbit_conv/pixels.h"

namespace auxbench::lowbit_conv {
namespace {

constexpr int64_t kSix = 6;     // channels of a table
constexpr int64_t kTable = 64;  // bytes, and output channels of a register
constexpr int kRegisters = 2;   // of output channels in a block
constexpr int64_t kChannels = kRegisters * kTable;
constexpr int64_t kTileSums = 28 * kChannels;     // handed to the sink at a time
constexpr int64_t kStripPixels = 28;              // about; whose place is worked out together
constexpr int64_t kBandBytes = int64_t{2} << 20;  // of tables
constexpr int64_t kFewRows = 8;                   // a thread's, if it is to have rows of its own

// All lanes. The forms of intrinsics without a mask have GCC 12 warn of what its own headers leave undefined.
constexpr __mmask64 kAll = ~uint64_t{0};
constexpr __mmask16 kAllWords = 0xffff;

// Sizes of a problem. Tables: [row][column][six][64].
struct Layer {
  int64_t sixes;              // of a pixel
  int64_t columns, row;       // pixels of a row of the padded map, its tables
  int64_t out_h, out_w, run;  // tables of a row of taps
  int64_t largest;            // that a table can hold
  int64_t in_byte, in_word;   // lookups that fit in a byte; additions of such bytes that fit in 16 bits
  int64_t blocks;             // of output channels
  int64_t bands, rows;        // of an image; rows of outputs of each
  int64_t parts;              // of a band's blocks of output channels
  int64_t strip_rows;

  explicit Layer(const Problem& p)
      : sixes(ceil_div(p.c, kSix)),
        columns(p.w + 2 * p.pad),
        row(columns * sixes),
        out_h((p.h + 2 * p.pad - p.r) / p.stride + 1),
        out_w((columns - p.s) / p.stride + 1),
        run(p.s * sixes),
        largest(kSix * ((1 << p.activation_bits) - 1)),
        in_byte(255 / largest),
        in_word(65535 / (in_byte * largest)),
        blocks(ceil_div(p.out, kChannels)),
        parts(1) {
    const int64_t fitting = kBandBytes / (row * kTable);
    const int64_t most_rows = fitting < p.r ? 1 : (fitting - p.r) / p.stride + 1;
    bands = ceil_div(out_h, most_rows);
    if (p.n * out_h >= kFewRows * p.threads || blocks == 1)
      while (p.n * bands % p.threads != 0 && bands < out_h) ++bands;
    else
      parts = smaller_of(p.threads, blocks);
    rows = ceil_div(out_h, bands);
    bands = ceil_div(out_h, rows);
    strip_rows = smaller_of(rows, ceil_div(kStripPixels, out_w));
  }
  // Rows of the padded map that a band reads.
  [[nodiscard]] int64_t rows_in(const Problem& p) const { return (rows - 1) * p.stride + p.r; }
};

// Rows of outputs of an image, blocks of output channels.
struct Task {
  int64_t image, first_row, last_row, first_block, last_block;

  Task(const Layer& layer, int64_t index) {
    const int64_t part = index % layer.parts, band = index / layer.parts % layer.bands;
    image = index / layer.parts / layer.bands;
    first_row = band * layer.rows;
    last_row = smaller_of(layer.out_h, first_row + layer.rows);
    first_block = layer.blocks * part / layer.parts;
    last_block = layer.blocks * (part + 1) / layer.parts;
  }
};

// What `own` holds: the tables of a band, the sum of the codes of each of its pixels, the pixels of a strip.
struct Workspace {
  int64_t sums, pixels, bytes;  // where those start; the end

  Workspace(const Problem& p, const Layer& layer)
      : sums(layer.rows_in(p) * layer.row * kTable),
        pixels(ceil_div(sums + layer.rows_in(p) * layer.columns * 4, 64) * 64),
        bytes(pixels + pixels_bytes(layer.strip_rows * layer.out_w)) {}
};

// --- Tables.

// Of a row of pixels. The 64 sums of a table are those of the 8 sums of three codes and the 8 of three others; eight
// such eights fill a register.
void make_row(const Problem& p, const Layer& layer, const uint8_t* in, int64_t pixel, std::byte* tables,
              int32_t* sums) {
  static constexpr int64_t kTables = 4;  // of a step: 24 channels
  // Byte i: i / 8; i % 8.
  const __m512i eighth =
      _mm512_set_epi64(0x0707070707070707, 0x0606060606060606, 0x0505050505050505, 0x0404040404040404,
                       0x0303030303030303, 0x0202020202020202, 0x0101010101010101, 0);
  const __m512i within = _mm512_set1_epi64(0x0706050403020100);
  const __m512i first_code = _mm512_add_epi8(_mm512_add_epi8(eighth, eighth), eighth);
  const __m512i second_code = _mm512_add_epi8(first_code, _mm512_set1_epi8(1));
  const __m512i third_code = _mm512_add_epi8(first_code, _mm512_set1_epi8(2));
  __m512i low[kTables], high[kTables];  // eight 2 t at i % 8; eight 2 t + 1 at i / 8
  for (int t = 0; t < kTables; ++t) {
    low[t] = _mm512_add_epi8(within, _mm512_set1_epi8(static_cast<char>(16 * t)));
    high[t] = _mm512_add_epi8(eighth, _mm512_set1_epi8(static_cast<char>(16 * t + 8)));
  }
  for (int64_t x = 0; x < layer.columns; ++x, in += pixel) {
    __m256i sum = _mm256_setzero_si256();
    for (int64_t six = 0; six < layer.sixes; six += kTables) {
      const int64_t c = six * kSix;
      const uint32_t channels = (uint32_t{1} << smaller_of(kTables * kSix, p.c - c)) - 1;
      const __m256i codes = _mm256_maskz_loadu_epi8(channels, in + c);
      sum = _mm256_add_epi64(sum, _mm256_sad_epu8(codes, _mm256_setzero_si256()));
      const __m512i all = _mm512_castsi256_si512(codes);
      __m512i eights = _mm512_maskz_permutexvar_epi8(0xaaaaaaaaaaaaaaaa, first_code, all);
      eights = _mm512_add_epi8(eights, _mm512_maskz_permutexvar_epi8(0xcccccccccccccccc, second_code, all));
      eights = _mm512_add_epi8(eights, _mm512_maskz_permutexvar_epi8(0xf0f0f0f0f0f0f0f0, third_code, all));
#pragma GCC unroll 4
      for (int t = 0; t < kTables; ++t) {
        if (six + t == layer.sixes) break;
        _mm512_store_si512(tables, _mm512_add_epi8(_mm512_maskz_permutexvar_epi8(kAll, low[t], eights),
                                                   _mm512_maskz_permutexvar_epi8(kAll, high[t], eights)));
        tables += kTable;
      }
    }
    alignas(32) int64_t parts[4];
    _mm256_store_si256(reinterpret_cast<__m256i*>(parts), sum);
    sums[x] = static_cast<int32_t>(parts[0] + parts[1] + parts[2] + parts[3]);
  }
}

void make_tables(const Problem& p, const Layer& layer, const Task& task, const Arguments& arguments) {
  const auto& map = arguments.in;
  auto* tables = arguments.own;
  auto* sums = reinterpret_cast<int32_t*>(arguments.own + Workspace(p, layer).sums);
  const int64_t rows = (task.last_row - task.first_row - 1) * p.stride + p.r;
  for (int64_t row = 0; row < rows; ++row, tables += layer.row * kTable, sums += layer.columns) {
    const int64_t y = task.first_row * p.stride + row - p.pad;
    const int64_t map_row = (task.image * (map.h + 2 * map.border) + y + map.border) * (map.w + 2 * map.border);
    make_row(p, layer, map.data + (map_row + map.border - p.pad) * map.pixel, map.pixel, tables, sums);
  }
}

// --- Sums.

struct Block {
  const std::byte* in;       // tables, from the first tap of the strip's first pixel on
  const std::byte* indices;  // [r][run][registers][64]
  const int32_t* corrections;
  int64_t row, run, rows;  // bytes of a row of tables; lookups of a row of taps; rows of taps
  int64_t in_byte, in_word;
  int64_t channels;  // a multiple of 16
  int doublings;     // log2 of dot_factor
};

template <int kP, int kR, bool kFirst>
inline __attribute__((always_inline)) void look_up(const std::byte* const (&tables)[size_t{kP}], int64_t offset,
                                                   const std::byte* indices, __m512i (&bytes)[size_t{kP}][size_t{kR}]) {
  __m512i index[size_t{kR}];
#pragma GCC unroll 8
  for (int j = 0; j < kR; ++j) index[j] = _mm512_load_si512(indices + j * kTable);
#pragma GCC unroll 8
  for (int i = 0; i < kP; ++i) {
    __m512i table = _mm512_load_si512(tables[i] + offset);
    if (kR > 1) asm("" : "+v"(table));  // else it is an operand in memory of each lookup: more loads than lookups
#pragma GCC unroll 8
    for (int j = 0; j < kR; ++j) {
      const __m512i found = _mm512_maskz_permutexvar_epi8(kAll, index[j], table);
      bytes[i][j] = kFirst ? found : _mm512_add_epi8(bytes[i][j], found);
    }
  }
}

// 16-bit sums: of the even bytes plus 256 times those of the odd bytes, modulo 2^16; of the odd bytes.
template <int kP, int kR>
struct Words {
  __m512i both[size_t{kP}][size_t{kR}], odd[size_t{kP}][size_t{kR}];

  inline __attribute__((always_inline)) void clear() {
#pragma GCC unroll 8
    for (int i = 0; i < kP; ++i)
#pragma GCC unroll 8
      for (int j = 0; j < kR; ++j) both[i][j] = odd[i][j] = _mm512_setzero_si512();
  }
  inline __attribute__((always_inline)) void add(const __m512i (&bytes)[size_t{kP}][size_t{kR}]) {
#pragma GCC unroll 8
    for (int i = 0; i < kP; ++i)
#pragma GCC unroll 8
      for (int j = 0; j < kR; ++j) {
        both[i][j] = _mm512_add_epi16(both[i][j], bytes[i][j]);
        odd[i][j] = _mm512_add_epi16(odd[i][j], _mm512_srli_epi16(bytes[i][j], 8));
      }
  }
  // Sixteen channels.
  inline __attribute__((always_inline)) __m512i part(int i, int j, int quarter) const {
    const __m512i even = _mm512_sub_epi16(both[i][j], _mm512_slli_epi16(odd[i][j], 8));
    const __m512i words = quarter % 2 == 0 ? even : odd[i][j];
    return quarter < 2 ? _mm512_and_si512(words, _mm512_set1_epi32(0xffff))
                       : _mm512_maskz_srli_epi32(kAllWords, words, 16);
  }
};

// Adds what is counted to the tile's sums, of which there are none yet at first.
template <int kP, int kR>
void flush(const Words<kP, kR>& words, bool first, int32_t* tile) {
  for (int i = 0; i < kP; ++i)
    for (int j = 0; j < kR; ++j)
#pragma GCC unroll 4
      for (int quarter = 0; quarter < 4; ++quarter, tile += kBlock) {
        const __m512i before = first ? _mm512_setzero_si512() : _mm512_load_si512(tile);
        _mm512_store_si512(tile, _mm512_add_epi32(before, words.part(i, j, quarter)));
      }
}

// kP pixels from `first` on, kR * 64 channels. kSteps: in_byte where that is 1 or 2, else 0.
template <int kP, int kR, int kSteps>
void convolve(const Block& b, const Pixels& pixels, int64_t first, int32_t* tile) {
  Words<kP, kR> words;
  words.clear();
  bool flushed = false;
  int64_t room = b.in_word;
  const std::byte *in = b.in, *indices = b.indices;
  for (int64_t r = 0; r < b.rows; ++r, in += b.row) {
    const std::byte* tables[size_t{kP}];
#pragma GCC unroll 8
    for (int i = 0; i < kP; ++i) tables[i] = in + pixels.at[first + i] * kTable;
    for (int64_t k = 0; k < b.run;) {
      if (room-- == 0) {
        flush(words, !flushed, tile);
        flushed = true;
        words.clear();
        room = b.in_word - 1;
      }
      __m512i bytes[size_t{kP}][size_t{kR}];
      look_up<kP, kR, true>(tables, k * kTable, indices, bytes);
      indices += kR * kTable;
      const int64_t end = kSteps == 1 ? ++k : smaller_of(b.run, k + (kSteps == 2 ? 2 : b.in_byte));
      if (kSteps != 1)
        for (++k; k < end; ++k, indices += kR * kTable) look_up<kP, kR, false>(tables, k * kTable, indices, bytes);
      words.add(bytes);
    }
  }
  const __m128i doublings = _mm_cvtsi32_si128(b.doublings);
#pragma GCC unroll 8
  for (int i = 0; i < kP; ++i) {
    const __m512i sum = _mm512_set1_epi32(pixels.sums[first + i]);
    const int32_t* corrections = b.corrections + pixels.corrections[first + i];
#pragma GCC unroll 8
    for (int part = 0; part < 4 * kR; ++part) {
      if (part * kBlock >= b.channels) break;
      int32_t* to = tile + (i * 4 * kR + part) * kBlock;
      __m512i dot = words.part(i, part / 4, part % 4);
      if (flushed) dot = _mm512_add_epi32(dot, _mm512_load_si512(to));
      dot = _mm512_maskz_sll_epi32(kAllWords, dot, doublings);
      const __m512i add = _mm512_add_epi32(sum, _mm512_load_si512(corrections + part * kBlock));
      _mm512_store_si512(to, _mm512_add_epi32(dot, add));
    }
  }
}

using Convolve = void (*)(const Block&, const Pixels&, int64_t first, int32_t* tile);
// By registers, steps, log2 of pixels.
constexpr int kLargest = 3;
constexpr Convolve kConvolve[kRegisters][3][kLargest + 1] = {
    {{convolve<1, 1, 0>, convolve<2, 1, 0>, convolve<4, 1, 0>, convolve<8, 1, 0>},
     {convolve<1, 1, 1>, convolve<2, 1, 1>, convolve<4, 1, 1>, convolve<8, 1, 1>},
     {convolve<1, 1, 2>, convolve<2, 1, 2>, convolve<4, 1, 2>, convolve<8, 1, 2>}},
    {{convolve<1, 2, 0>, convolve<2, 2, 0>, convolve<4, 2, 0>, nullptr},
     {convolve<1, 2, 1>, convolve<2, 2, 1>, convolve<4, 2, 1>, nullptr},
     {convolve<1, 2, 2>, convolve<2, 2, 2>, convolve<4, 2, 2>, nullptr}},
};

// Rows first .. last of a task.
void add_up(const Problem& p, const Layer& layer, const Task& task, int64_t first_row, int64_t last_row,
            const Arguments& arguments, const Packed& packed) {
  const Rows rows = {task.image, first_row, last_row, layer.out_w};
  const Workspace workspace(p, layer);
  const Pixels pixels(arguments.own + workspace.pixels, rows.pixels());
  const int64_t row = (first_row - task.first_row) * p.stride;
  const int32_t step = p.activation_step, row_factor = p.odd_weights ? step : 0;
  const int32_t dot_factor = p.odd_weights ? 2 * step : step;
  const auto* sums = reinterpret_cast<const int32_t*>(arguments.own + workspace.sums) + row * layer.columns;
  locate(p, rows, {sums, layer.columns, layer.sixes}, row_factor - dot_factor, packed, pixels);
  alignas(64) int32_t tile[kTileSums];
  Block b = {.in = arguments.own + row * layer.row * kTable,
             .row = layer.row * kTable,
             .run = layer.run,
             .rows = p.r,
             .in_byte = layer.in_byte,
             .in_word = layer.in_word,
             .doublings = dot_factor >> 1};
  for (int64_t block = task.first_block; block < task.last_block; ++block) {
    const int64_t channel = block * kChannels, channels = smaller_of(kChannels, p.out - channel);
    const int64_t registers = ceil_div(channels, kTable), stride = registers * kTable;
    b.indices = packed.body + channel * p.r * layer.run;
    b.corrections = packed.corrections + channel;
    b.channels = ceil_div(channels, kBlock) * kBlock;
    const auto& convolves = kConvolve[registers - 1][layer.in_byte <= 2 ? layer.in_byte : 0];
    for (int64_t first = 0; first < rows.pixels(); first += kTileSums / stride) {
      const int64_t last = smaller_of(first + kTileSums / stride, rows.pixels());
      int log = registers == 1 ? kLargest : kLargest - 1;
      for (int64_t i = first; i < last;) {
        while ((int64_t{1} << log) > last - i) --log;
        convolves[log](b, pixels, i, tile + (i - first) * stride);
        i += int64_t{1} << log;
      }
      hand_over(rows, first, last, {.acc = tile, .stride = stride, .channel = channel, .channels = channels},
                arguments);
    }
  }
}

void run(const Problem& p, int, int64_t first, int64_t last, const Arguments& arguments, const Packed& packed) {
  const Layer layer(p);
  for (int64_t index = first; index < last; ++index) {
    const Task task(layer, index);
    make_tables(p, layer, task, arguments);
    for (int64_t row = task.first_row; row < task.last_row; row += layer.strip_rows)
      add_up(p, layer, task, row, smaller_of(task.last_row, row + layer.strip_rows), arguments, packed);
  }
}

// --- Weights: [blocks][r][run][registers][64] indices.

size_t body_bytes(const Problem& p) {
  return static_cast<size_t>(ceil_div(p.out, kTable) * kTable * p.r * Layer(p).run);
}

void pack(const Problem& p, const int8_t* codes, std::byte* body) {
  const Layer layer(p);
  for (int64_t o = 0; o < p.out; ++o) {
    const int64_t block = o / kChannels * kChannels, within = o % kTable;
    const int64_t width = smaller_of(kChannels, ceil_div(p.out - block, kTable) * kTable);
    auto* to = reinterpret_cast<uint8_t*>(body) + block * p.r * layer.run + (o - block) / kTable * kTable +
               within % kBlock * 4 + within / kBlock;
    for (int64_t tap = 0; tap < p.r * p.s; ++tap)
      for (int64_t c = 0; c < p.c; ++c) {
        const int chosen = *codes++ + 1;
        auto& index = to[(tap * layer.sixes + c / kSix) * width];
        index = static_cast<uint8_t>(index | chosen << (c % kSix));
      }
  }
}

bool supports(const Problem& p) {
  if (p.weight_bits != 1 || p.activation_bits > 5) return false;
  const Layer layer(p);
  return layer.rows_in(p) * layer.row < INT32_MAX;
}

double cost(const Problem& p) {
  const Layer layer(p);
  const auto outputs = static_cast<double>(p.n * layer.out_h * layer.out_w * ceil_div(p.out, kTable));
  const auto lookups = static_cast<double>(p.r * layer.run);
  const auto widenings = static_cast<double>(p.r * ceil_div(layer.run, layer.in_byte));
  const double slower = p.out <= kTable ? 1.35 : 1;  // one register of output channels
  const auto pixels = static_cast<double>(p.n * (p.h + 2 * p.pad) * layer.columns);
  return outputs * (slower * (0.35 * lookups + 0.27 * widenings + 0.8 * static_cast<double>(p.r)) + 6) +
         pixels * (1.15 * static_cast<double>(layer.sixes) + 1.5);
}

}  // namespace

extern const Kernel lookup_kernel;
const Kernel lookup_kernel = {
    .name = "lookup",
    .idea = "sums over six channels looked up in tables, for weights of 1 bit and activations of a few",
    .runs_on = [](const Isa& isa) { return isa.avx512 && isa.vbmi; },
    .supports = supports,
    .cost = cost,
    .multiplied = [](const Problem&) { return Multiplied{.values = false}; },
    .body_bytes = body_bytes,
    .pack = pack,
    .shared_bytes = [](const Problem&) { return size_t{0}; },
    .own_bytes = [](const Problem& p) { return static_cast<size_t>(Workspace(p, Layer(p)).bytes); },
    .phases = [](const Problem&) { return 1; },
    .tasks =
        [](const Problem& p, int) {
          const Layer layer(p);
          return p.n * layer.bands * layer.parts;
        },
    .run = run,
};

}  // namespace auxbench::lowbit_conv
