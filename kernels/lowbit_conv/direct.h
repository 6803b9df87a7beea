// How the direct kernels (vnni.cc, avx2.cc) cut a problem: implicit GEMM over the bordered input as it lies. For those
// two units only; all of it has internal linkage, since they are built for different instruction sets and the linker
// must not give one the other's code.
//
// The reduction of an output pixel runs over words of 4 bytes: kernel rows, in a row its taps, in a tap its channels.
// Inputs of 1 to 3 channels would waste part of every word: of those a task first gathers each output pixel's taps
// without gaps (7 x 7 taps of 3 channels: 37 words instead of 49).
//
// Where the border's code is 0, products with it need not be made: rows of taps outside the image are left out, and so
// are the taps outside for the first and the last pixel of a row. That is all of them for 3 x 3 with padding 1, 18 % of
// the work on a 7 x 7 map.
//
// A task is some output rows of an image and some output channels. It works on strips of pixels, a strip on groups of
// as many pixels as registers hold. Strips are parts of rows, where taps are left out; else they may go on over the
// ends of rows, so that narrow maps leave no tails.
#pragma once

#include <immintrin.h>

#include <cstring>

#include "kernels/lowbit_conv/kernel.h"

namespace auxbench::lowbit_conv::direct {
namespace {

inline constexpr int64_t kWord = 4;          // products that one step of a dot product adds up
inline constexpr int64_t kTaskPixels = 128;  // of a task, or what one row has
inline constexpr int64_t kTasks = 24;        // enough for 8 threads to end nearly together
inline constexpr int64_t kStripPixels = 28;  // whose sums go to the sink together

inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t between(int64_t low, int64_t value, int64_t high) { return least(most(low, value), high); }
inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Whether taps are gathered.
inline bool gathers(const Problem& p) { return p.c < kWord && ceil_div(p.taps(), kWord) < p.r * p.s; }

// Words of weights per output channel.
inline int64_t words(const Problem& p) {
  return gathers(p) ? ceil_div(p.taps(), kWord) : p.r * p.s * ceil_div(p.c, kWord);
}

// Weights: [out / unit][words][unit][kWord] int8, zeros where there is no channel; the last unit has only the blocks of
// kBlock channels that it needs.
inline size_t body_bytes(const Problem& p) { return static_cast<size_t>(round_up(p.out, kBlock) * words(p) * kWord); }

inline int64_t unit_channels(const Problem& p, int64_t unit, int64_t channel) {
  return least(unit, round_up(p.out, kBlock) - channel);
}

// Applies part(c) to each code c.
template <typename Part>
inline void pack(const Problem& p, int64_t unit, const int8_t* codes, std::byte* body, const Part& part) {
  auto* packed = reinterpret_cast<int8_t*>(body);
  const int64_t tap = gathers(p) ? p.c : round_up(p.c, kWord);
  for (int64_t o = 0; o < p.out; ++o) {
    const int64_t start = o / unit * unit, width = unit_channels(p, unit, start);
    auto* at = packed + start * words(p) * kWord + (o - start) * kWord;
    for (int64_t t = 0; t < p.r * p.s; ++t)
      for (int64_t c = 0; c < p.c; ++c) {
        const int64_t byte = t * tap + c;
        at[byte / kWord * width * kWord + byte % kWord] = static_cast<int8_t>(part(*codes++));
      }
  }
}

// Tasks: for each image, bands of output rows; where those are few, also parts of the output channels, whole units.
struct Cut {
  int64_t unit, out_w, bands, rows, parts, units;

  Cut(const Problem& p, int64_t channels) : unit(channels), out_w(p.out_w()) {
    rows = ceil_div(p.out_h(), ceil_div(p.out_h(), most(1, kTaskPixels / out_w)));
    bands = ceil_div(p.out_h(), rows);
    const int64_t all = ceil_div(p.out, unit);
    units = ceil_div(all, least(all, ceil_div(kTasks, p.n * bands)));
    parts = ceil_div(all, units);
  }
  [[nodiscard]] int64_t tasks(const Problem& p) const { return p.n * bands * parts; }
  [[nodiscard]] int64_t pixels() const { return rows * out_w; }
};

struct Task {
  int64_t n, first_row, last_row, first_channel, last_channel, pixels;

  Task(const Problem& p, const Cut& cut, int64_t index) {
    const int64_t part = index % cut.parts, band = index / cut.parts % cut.bands;
    n = index / cut.parts / cut.bands;
    first_row = band * cut.rows;
    last_row = least(p.out_h(), first_row + cut.rows);
    first_channel = part * cut.units * cut.unit;
    last_channel = least(p.out, first_channel + cut.units * cut.unit);
    pixels = (last_row - first_row) * cut.out_w;
  }
};

// One output pixel of a task.
struct Pixel {
  const uint8_t* at;          // its first tap
  const int32_t* correction;  // its corrections, from channel 0 on
  uint8_t* codes;             // where its codes go, from channel 0 on, if codes are wanted
};

// The reduction of every pixel: rows, `row_bytes` apart, of `taps` taps, `tap_bytes` apart, of `tap_words` words.
struct Reduction {
  int64_t rows, row_bytes, taps, tap_bytes, tap_words;
};

// Part of the reduction of a group of pixels: words one after the other, for all of its pixels or all but one.
struct Run {
  enum class Of { all, all_but_first, all_but_last };
  int64_t at, bytes;  // in a pixel's input: from, how many
  int64_t word;       // of the weights
  Of of;
};

// What a group of pixels needs of the reduction: rows first_row .. last_row; `left` taps are outside for its first
// pixel and `right` taps for its last.
struct Window {
  int64_t first_row, last_row, left, right;
  bool operator==(const Window&) const = default;
};

inline bool leaves_out(const Problem& p) { return p.pad > 0 && p.border_code() == 0 && !gathers(p); }

// For pixels x .. last_x of row y.
inline Window window_of(const Problem& p, int64_t y, int64_t x, int64_t last_x) {
  const int64_t left = between(0, p.pad - x * p.stride, p.s);
  return {.first_row = between(0, p.pad - y * p.stride, p.r),
          .last_row = between(0, p.h + p.pad - y * p.stride, p.r),
          .left = left,
          .right = least(p.s - left, p.s - between(0, p.w + p.pad - last_x * p.stride, p.s))};
}

// The products that remain, at most 1.
inline double share(const Problem& p) {
  if (!leaves_out(p)) return 1;
  int64_t rows = 0, columns = 0;
  for (int64_t y = 0; y < p.out_h(); ++y) {
    const auto window = window_of(p, y, 0, 0);
    rows += window.last_row - window.first_row;
  }
  for (int64_t x = 0; x < p.out_w(); ++x) {
    const auto window = window_of(p, 0, x, x);
    columns += p.s - window.left - window.right;
  }
  return static_cast<double>(rows * columns) / static_cast<double>(p.out_h() * p.r * p.out_w() * p.s);
}

// Lists a window's runs; returns their end. Taps without gaps between them are one run.
[[gnu::noinline]] inline Run* list_runs(const Reduction& all, const Window& window, Run* to) {
  const int64_t tap = all.tap_words * kWord, ends[] = {0, window.left, all.taps - window.right, all.taps};
  constexpr Run::Of kOf[] = {Run::Of::all_but_first, Run::Of::all, Run::Of::all_but_last};
  for (int64_t r = window.first_row; r < window.last_row; ++r)
    for (int64_t part = 0; part < 3; ++part) {
      const int64_t step = all.tap_bytes == tap ? most(1, ends[part + 1] - ends[part]) : 1;
      for (int64_t s = ends[part]; s < ends[part + 1]; s += step)
        *to++ = {.at = r * all.row_bytes + s * all.tap_bytes,
                 .bytes = step * tap,
                 .word = (r * all.taps + s) * all.tap_words,
                 .of = kOf[part]};
    }
  return to;
}

// A thread's workspace: the pixels of a task, a group's runs, the sums of the pixels' codes, their gathered taps, and
// for those the rows of the input without gaps.
struct Workspace {
  int64_t runs, sums, taps, rows, bytes;  // where those start; the end

  Workspace(const Problem& p, const Cut& cut) {
    runs = cut.pixels() * static_cast<int64_t>(sizeof(Pixel));
    sums = runs + p.r * p.s * static_cast<int64_t>(sizeof(Run));
    taps = rows = bytes = round_up(sums + cut.pixels() * static_cast<int64_t>(sizeof(int32_t)), 64);
    if (!gathers(p)) return;
    rows += cut.pixels() * words(p) * kWord + requantize::kSlack;
    bytes = rows + ((cut.rows - 1) * p.stride + p.r) * (p.w + 2 * p.pad) * p.c + requantize::kSlack;
  }
};

// Rows of `count` pixels of `pixel` bytes to rows of c bytes each. Reads up to 12 bytes and writes up to 16 beyond.
inline void close_gaps(const uint8_t* from, int64_t row, int64_t rows, int64_t pixel, int64_t count, int64_t c,
                       uint8_t* to) {
  alignas(16) int8_t order[16];
  for (int64_t i = 0; i < 16; ++i) order[i] = static_cast<int8_t>(i < kWord * c ? i / c * kWord + i % c : -1);
  const __m128i shuffle = _mm_load_si128(reinterpret_cast<const __m128i*>(order));
  for (int64_t y = 0; y < rows; ++y, from += row, to += count * c) {
    if (pixel != kWord) {
      for (int64_t x = 0; x < count; ++x)
        for (int64_t k = 0; k < c; ++k) to[x * c + k] = from[x * pixel + k];
      continue;
    }
    for (int64_t x = 0; x < count; x += 4) {
      const __m128i four = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + x * kWord));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + x * c), _mm_shuffle_epi8(four, shuffle));
    }
  }
}

inline void copy32(const uint8_t* from, uint8_t* to) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}

// For `count` outputs of a row, `step` bytes apart: `rows` times `bytes` bytes, one behind the other, `words` words.
// Reads and writes up to 31 bytes beyond.
inline void gather(const uint8_t* from, int64_t step, int64_t count, int64_t row, int64_t rows, int64_t bytes,
                   int64_t words, uint8_t* to) {
  for (int64_t x = 0; x < count; ++x, from += step, to += words * kWord)
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t i = 0; i < bytes; i += 32) copy32(from + r * row + i, to + r * bytes + i);
}

// Fills the workspace for a task.
[[gnu::noinline]] inline Reduction prepare(const Problem& p, const Cut& cut, const Task& task,
                                           const Arguments& arguments, const Packed& packed) {
  const auto& in = arguments.in;
  const int64_t padded = round_up(p.out, kBlock);
  auto* pixels = reinterpret_cast<Pixel*>(arguments.own);
  const auto* from = in.at(task.n, task.first_row * p.stride - p.pad, -p.pad);
  Reduction all = {
      .rows = p.r, .row_bytes = in.row(), .taps = p.s, .tap_bytes = in.pixel, .tap_words = ceil_div(p.c, kWord)};
  int64_t step = p.stride * in.pixel, row_step = p.stride * in.row();
  if (gathers(p)) {
    const Workspace workspace(p, cut);
    auto* rows = reinterpret_cast<uint8_t*>(arguments.own) + workspace.rows;
    auto* taps = reinterpret_cast<uint8_t*>(arguments.own) + workspace.taps;
    const int64_t width = p.w + 2 * p.pad, row = width * p.c, bands = task.last_row - task.first_row;
    close_gaps(from, in.row(), (bands - 1) * p.stride + p.r, in.pixel, width, p.c, rows);
    step = words(p) * kWord;
    row_step = cut.out_w * step;
    for (int64_t y = 0; y < bands; ++y)
      gather(rows + y * p.stride * row, p.stride * p.c, cut.out_w, row, p.r, p.s * p.c, words(p), taps + y * row_step);
    from = taps;
    all = {.rows = 1, .row_bytes = 0, .taps = 1, .tap_bytes = 0, .tap_words = words(p)};
  }
  const auto& out = arguments.epilogue->codes;
  const int64_t out_step = out.data == nullptr ? 0 : out.pixel;
  for (int64_t y = task.first_row; y < task.last_row; ++y, from += row_step) {
    auto* codes = out.data == nullptr ? nullptr : out.at(task.n, y, 0);
    for (int64_t x = 0; x < cut.out_w; ++x, codes += out_step)
      *pixels++ = {.at = from + x * step, .correction = packed.correction(y, x, padded), .codes = codes};
  }
  return all;
}

// Hands the sink the sums of `count` pixels of the task from pixel `first` on, one call for each image row they touch.
inline void hand_over(const Arguments& arguments, const Cut& cut, const Task& task, int64_t first, int64_t count,
                      int64_t channel, const int32_t* acc) {
  const int64_t channels = least(cut.unit, task.last_channel - channel);
  int64_t y = first / cut.out_w, x = first % cut.out_w;
  while (count > 0) {
    const int64_t here = least(count, cut.out_w - x);
    arguments.sink(*arguments.epilogue, {.acc = acc,
                                         .stride = cut.unit,
                                         .image = task.n,
                                         .y = task.first_row + y,
                                         .x = x,
                                         .pixels = here,
                                         .channel = channel,
                                         .channels = channels});
    acc += here * cut.unit;
    count -= here;
    x = 0;
    ++y;
  }
}

// acc = (dot << shift) + row_factor sum + correction
struct Finish {
  int shift;
  int32_t row_factor;

  Finish(const Problem& p, const Multiplied& multiplied)
      : shift(multiplied.dot_factor(p) >> 1), row_factor(multiplied.row_factor(p)) {}
  [[nodiscard]] bool plain() const { return shift == 0 && row_factor == 0; }
};

inline __m256i load8(const int32_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }

// From dot + correction to acc, for `count` pixels and `channels` channels of a tile.
inline void finish_tile(const Finish& finish, const Pixel* pixels, const int32_t* sums, int64_t count, int64_t stride,
                        int64_t channel, int64_t channels, int32_t* tile) {
  const __m128i shift = _mm_cvtsi32_si128(finish.shift);
  for (int64_t i = 0; i < count; ++i, tile += stride) {
    const __m256i sum = _mm256_set1_epi32(finish.row_factor == 0 ? 0 : finish.row_factor * sums[i]);
    for (int64_t c = 0; c < channels; c += 8) {
      const __m256i correction = load8(pixels[i].correction + channel + c);
      const __m256i dot = _mm256_sub_epi32(load8(tile + c), correction);
      const __m256i acc = _mm256_add_epi32(_mm256_sll_epi32(dot, shift), _mm256_add_epi32(sum, correction));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(tile + c), acc);
    }
  }
}

// The end of a strip: from dots and corrections in its tile, kStripPixels * unit, to acc, and the sink.
inline void finish_strip(const Problem& p, const Cut& cut, const Task& task, const Arguments& arguments,
                         const Finish& finish, int64_t first, int64_t count, int64_t channel, int32_t* tile) {
  const auto* pixels = reinterpret_cast<const Pixel*>(arguments.own);
  const auto* sums = reinterpret_cast<const int32_t*>(arguments.own + Workspace(p, cut).sums);
  if (!finish.plain())
    finish_tile(finish, pixels + first, sums + first, count, cut.unit, channel, unit_channels(p, cut.unit, channel),
                tile);
  hand_over(arguments, cut, task, first, count, channel, tile);
}

// For all groups of a task, of at most most_pixels(channel) pixels: compute(first pixel, pixels, channel, first and
// last run, pixels of the strip before it); after each strip: at_end(first pixel, pixels, channel).
template <typename MostPixels, typename Compute, typename End>
inline void for_groups(const Problem& p, const Cut& cut, const Task& task, const Arguments& arguments,
                       const Reduction& all, const MostPixels& most_pixels, const Compute& compute, const End& at_end) {
  const bool by_rows = leaves_out(p);
  const int64_t stretch = by_rows ? cut.out_w : task.pixels, strips = ceil_div(stretch, kStripPixels);
  Window window = {.first_row = 0, .last_row = all.rows, .left = 0, .right = 0};
  auto* runs = reinterpret_cast<Run*>(arguments.own + Workspace(p, cut).runs);
  const auto* end = list_runs(all, window, runs);
  for (int64_t channel = task.first_channel; channel < task.last_channel; channel += cut.unit) {
    const int64_t limit = most_pixels(channel);
    for (int64_t start = 0; start < task.pixels; start += stretch)
      for (int64_t strip = 0; strip < strips; ++strip) {
        const int64_t from = stretch * strip / strips, many = stretch * (strip + 1) / strips - from;
        const int64_t groups = ceil_div(many, limit);
        for (int64_t g = 0; g < groups; ++g) {
          const int64_t first = many * g / groups, size = many * (g + 1) / groups - first;
          if (by_rows) {
            const auto here = window_of(p, task.first_row + start / stretch, from + first, from + first + size - 1);
            if (!(here == window)) end = list_runs(all, here, runs);
            window = here;
          }
          compute(start + from + first, size, channel, runs, end, first);
        }
        at_end(start + from, many, channel);
      }
  }
}

// The pixels' sums of codes. What stands between a tap's last channel and the end of its word is no code.
[[gnu::noinline]] inline void add_codes(const Problem& p, const Reduction& all, const Pixel* pixels, int64_t count,
                                        int32_t* sums) {
  const bool gaps = !gathers(p) && all.tap_bytes != p.c;
  const int64_t taps = gaps ? p.s : 1, bytes = gathers(p) ? p.taps() : gaps ? p.c : p.s * p.c;
  alignas(32) uint8_t lanes[32];
  for (int64_t i = 0; i < 32; ++i) lanes[i] = i <= (bytes - 1) % 32 ? 255 : 0;
  const __m256i rest = _mm256_load_si256(reinterpret_cast<const __m256i*>(lanes)), zero = _mm256_setzero_si256();
  for (int64_t i = 0; i < count; ++i) {
    __m256i sum = zero;
    for (int64_t r = 0; r < all.rows; ++r)
      for (int64_t s = 0; s < taps; ++s) {
        const auto* from = pixels[i].at + r * all.row_bytes + s * all.tap_bytes;
        int64_t c = 0;
        for (; c + 32 < bytes; c += 32)
          sum = _mm256_add_epi64(sum,
                                 _mm256_sad_epu8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + c)), zero));
        const __m256i last = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + c));
        sum = _mm256_add_epi64(sum, _mm256_sad_epu8(_mm256_and_si256(last, rest), zero));
      }
    const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    sums[i] = _mm_cvtsi128_si32(_mm_add_epi64(half, _mm_unpackhi_epi64(half, half)));
  }
}

}  // namespace
}  // namespace auxbench::lowbit_conv::direct
