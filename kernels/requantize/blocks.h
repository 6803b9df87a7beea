// The walk through a tile, sixteen channels at a time: for each block of channels all pixels, so that what belongs to
// the channels stays in registers. Where a set says so (`kLine`) and codes are cheap to make, four blocks at a time:
// all their codes of a pixel are one line of cache, stored at once. Written once for what an instruction set can do
// (`V`, see avx512.cc), and included by that set's unit alone.
//
// Nothing in here may leave the unit: a function that the linker is free to share would run with this unit's
// instructions on processors that lack them. So: everything unnamed, no functions of the standard library, none of the
// contract's inline members.
#pragma once

#include <type_traits>

#include "kernels/requantize/paths.h"

namespace auxbench::requantize {
namespace {

constexpr int64_t kWidth = kChannelBlock;
constexpr size_t kLineBlocks = 4;
constexpr int64_t kLineWidth = 4 * kWidth;

constexpr int64_t first_of(size_t block) { return static_cast<int64_t>(block) * kWidth; }

inline int64_t smaller_of(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t padded(int64_t channels) { return (channels + kWidth - 1) / kWidth * kWidth; }

// Pixels in a row: of one block of channels, `stride` numbers apart.
template <typename Number>
struct Run {
  Number* data = nullptr;  // null: no such map
  int64_t stride = 0;

  explicit operator bool() const { return data != nullptr; }
  Number* operator[](int64_t p) const { return data + p * stride; }
};

struct Place {
  int64_t image = 0, y = 0, x = 0, channel = 0;
};

template <typename Float>
Run<Float> run_of(const FloatMap<Float>& map, const Place& at) {
  if (map.data == nullptr) return {};
  return {map.data + ((at.image * map.h + at.y) * map.w + at.x) * map.pixel + at.channel, map.pixel};
}

template <typename Byte>
Run<Byte> run_of(const CodeMap<Byte>& map, const Place& at) {
  if (map.data == nullptr) return {};
  const int64_t row = (at.image * (map.h + 2 * map.border) + at.y + map.border) * (map.w + 2 * map.border);
  return {map.data + (row + at.x + map.border) * map.pixel + at.channel, map.pixel};
}

// Encoders turn sixteen floats into sixteen bytes. V brings those that compare.
struct NoEncoder {};

template <typename Encode>
constexpr bool kArithmetic = false;

enum class Affinity { plain, shifted, divided };  // what is not neutral: nothing; subtract and add; these and divide

template <typename V, Affinity affinity>
struct Affine {
  typename V::Floats subtract, divide, lo, hi, multiply;
  typename V::Ints add;

  explicit Affine(const Encoder& e)
      : subtract(V::all(e.subtract)),
        divide(V::all(e.divide)),
        lo(V::all(e.lo)),
        hi(V::all(e.hi)),
        multiply(V::all(e.multiply)),
        add(V::all(e.add)) {}

  [[nodiscard]] typename V::Ints code(typename V::Floats v) const {
    if constexpr (affinity != Affinity::plain) v = V::sub(v, subtract);
    if constexpr (affinity == Affinity::divided) v = V::div(v, divide);
    const auto code = V::rounded(V::mul(V::at_most(V::at_least(lo, v), hi), multiply));  // NaN becomes lo
    return affinity == Affinity::plain ? code : V::add(code, add);
  }
  typename V::Bytes operator()(typename V::Floats v) const { return V::bytes(code(v)); }
};

template <typename V, Affinity affinity>
constexpr bool kArithmetic<Affine<V, affinity>> = true;

// The same where it begins at 0: codes below 0 are cut when they become bytes, and as its end is above 0, numbers
// compare with it as their bits do. Minima of integers find a free port where those of floats compete with products.
template <typename V, bool kDivides>
struct FromZero {
  typename V::Floats divide, hi, multiply;

  explicit FromZero(const Encoder& e) : divide(V::all(e.divide)), hi(V::all(e.hi)), multiply(V::all(e.multiply)) {}

  static bool is(const Encoder& e) {
    return e.subtract == 0 && e.divide > 0 && e.lo == 0 && e.hi > 0 && e.multiply > 0 && e.add == 0;
  }

  [[nodiscard]] typename V::Ints code(typename V::Floats v) const {
    if constexpr (kDivides) v = V::div(v, divide);
    return V::rounded(V::mul(V::at_most_positive(v, hi), multiply));
  }
  typename V::Bytes operator()(typename V::Floats v) const {
    return V::bytes(V::at_least(code(v), V::all(int32_t{0})));
  }
};

template <typename V, bool kDivides>
constexpr bool kArithmetic<FromZero<V, kDivides>> = true;

// Whether the encoder gives all that the clamp changes the codes that it would give anyway.
template <typename Encode>
bool clamps(const Encode&, const Epilogue&) {
  return false;
}
template <typename V, bool kDivides>
bool clamps(const FromZero<V, kDivides>&, const Epilogue& e) {
  return e.lo <= 0 && e.hi / e.encoder.divide >= e.encoder.hi;
}

// Halving: `base` thresholds are known to be reached; all lanes take steps of the same length.
template <typename V>
struct LongTable {
  const float* table;
  int32_t steps;

  explicit LongTable(const Encoder& e) : table(e.table), steps(e.steps) {}

  typename V::Bytes operator()(typename V::Floats v) const {
    auto base = V::all(int32_t{0});
    for (int32_t left = steps; left > 0;) {
      const int32_t half = (left + 1) / 2;
      base = V::add_where_reached(base, v, V::lookup(table + half - 1, base), half);
      left -= half;
    }
    return V::bytes(base);
  }
};

// The optional lines of a chain, known when the program is compiled: a line that is not asked for takes no
// register. Clamp, and each of `sums`, is asked for at every pixel. Scale, alpha and beta are always walked, with
// numbers that change nothing where they are not wanted: 1, and -0, which leaves zeros their sign.
struct Lines {
  bool sums = false;  // in_double, partial, class_terms, relu_first
  bool residual = false, residual_codes = false, out = false;
};

template <size_t kBlocks>
struct Blocks {};

template <typename V>
typename V::Floats load_or(const float* numbers, int64_t channel, float neutral) {
  return numbers == nullptr ? V::all(neutral) : V::load(numbers + channel);
}

// kBlocks blocks of channels: one, cut short to `channels` of them where codes are written, or a line.
template <typename V, Lines lines, size_t kBlocks, typename Encode, typename Number>
void walk_blocks(const Epilogue& e, const Place& at, int64_t channels, Run<const Number> in, int64_t pixels,
                 Encode encode) {
  constexpr bool kFromAccumulators = std::is_same_v<Number, int32_t>;  // or, for apply_rows, from floats
  constexpr bool kCodes = !std::is_same_v<Encode, NoEncoder>;
  const int64_t c = at.channel;
  typename V::Floats scale[kBlocks], alpha[kBlocks], beta[kBlocks];
  for (size_t b = 0; b < kBlocks; ++b) {
    scale[b] = load_or<V>(kFromAccumulators ? e.scale : nullptr, c + first_of(b), 1);
    alpha[b] = load_or<V>(e.alpha, c + first_of(b), 1);
    beta[b] = load_or<V>(e.beta, c + first_of(b), -0.0F);
  }
  const auto zero = V::all(0.0F), lo = V::all(e.lo), hi = V::all(e.hi);
  const auto step = V::all(e.residual_step), shift = V::all(e.residual_shift);
  const auto factor = V::all(e.residual_scale), offset = V::all(e.residual_offset);
  const bool in_double = e.in_double, relu_first = e.relu_first;
  const bool clamp = e.clamp && (lines.out || !clamps(encode, e));
  const auto partial = run_of(e.partial, at), residual = run_of(e.residual, at);
  const auto residual_codes = run_of(e.residual_codes, at);
  const auto out = run_of(e.out, at);
  const auto codes = run_of(e.codes, at);
  // Terms of this row's first class; those of the next class are `next_class` further.
  const int64_t next_class = padded(e.channels);
  const float* terms = e.class_terms == nullptr ? nullptr : e.class_terms + c;
  if (terms != nullptr && e.row_class != nullptr) terms += e.row_class[at.y] * e.column_classes * next_class;
  const uint8_t* column_class = terms == nullptr || e.column_class == nullptr ? nullptr : e.column_class + at.x;

  // Each step for all blocks before the next: a processor sees only so far ahead.
  const auto each = [](const auto& body) __attribute__((always_inline)) {
#pragma GCC unroll 4
    for (size_t b = 0; b < kBlocks; ++b) body(b, first_of(b));
  };
  for (int64_t p = 0; p < pixels; ++p) {
    typename V::Floats v[kBlocks];
    const auto* from = in[p];
    if constexpr (!kFromAccumulators)
      each([&](size_t b, int64_t i) { v[b] = V::load(from + i); });
    else if (lines.sums && in_double)
      each([&](size_t b, int64_t i) { v[b] = V::product_in_double(V::load(from + i), scale[b]); });
    else {
      each([&](size_t b, int64_t i) { v[b] = V::to_float(V::load(from + i)); });
      each([&](size_t b, int64_t) { v[b] = V::mul(v[b], scale[b]); });
    }
    if constexpr (lines.sums) {
      if (partial) each([&](size_t b, int64_t i) { v[b] = V::add(V::load(partial[p] + i), v[b]); });
      if (terms != nullptr) {
        const float* here = terms + (column_class == nullptr ? 0 : column_class[p] * next_class);
        each([&](size_t b, int64_t i) { v[b] = V::add(v[b], V::load(here + i)); });
      }
      if (relu_first) each([&](size_t b, int64_t) { v[b] = V::at_least(v[b], zero); });
    }
    each([&](size_t b, int64_t) { v[b] = V::mul(v[b], alpha[b]); });
    each([&](size_t b, int64_t) { v[b] = V::add(v[b], beta[b]); });
    if constexpr (lines.residual) each([&](size_t b, int64_t i) { v[b] = V::add(v[b], V::load(residual[p] + i)); });
    if constexpr (lines.residual_codes)
      each([&](size_t b, int64_t i) {
        const auto r = V::add(V::mul(V::widen(residual_codes[p] + i), step), shift);
        v[b] = V::add(v[b], V::add(V::mul(r, factor), offset));
      });
    if (clamp) each([&](size_t b, int64_t) { v[b] = V::at_most(V::at_least(v[b], lo), hi); });
    if constexpr (lines.out) each([&](size_t b, int64_t i) { V::store(out[p] + i, v[b]); });
    if constexpr (kBlocks == kLineBlocks)
      V::store(codes[p], V::line_of(encode.code(v[0]), encode.code(v[1]), encode.code(v[2]), encode.code(v[3])));
    else if constexpr (kCodes)
      V::store(codes[p], encode(v[0]), channels);
  }
}

template <typename V, typename Body>
void with_encoder(const Epilogue& e, const Body& body) {
  const auto& encoder = e.encoder;
  if (e.codes.data == nullptr || encoder.kind == Encoder::Kind::none) return body(NoEncoder());
  if (encoder.kind == Encoder::Kind::affine) {
    if constexpr (V::kLine)
      if (FromZero<V, true>::is(encoder)) {
        if (encoder.divide != 1) return body(FromZero<V, true>(encoder));
        return body(FromZero<V, false>(encoder));
      }
    if (encoder.divide != 1) return body(Affine<V, Affinity::divided>(encoder));
    if (encoder.subtract != 0 || encoder.add != 0) return body(Affine<V, Affinity::shifted>(encoder));
    return body(Affine<V, Affinity::plain>(encoder));
  }
  if (encoder.steps <= 3) return body(typename V::ThreeThresholds(encoder));
  if (encoder.steps <= 15) return body(typename V::FifteenThresholds(encoder));
  body(LongTable<V>(encoder));
}

// One block of channels on the way through thresholds.
struct Counted {
  const int32_t* thresholds = nullptr;  // the first of each of the block's channels; the next `apart` further
  int64_t apart = 0;
  int32_t count = 0;
  const int32_t* flip = nullptr;
  Run<const int32_t> acc;
  Run<uint8_t> codes;
  int64_t pixels = 0, channels = 0;  // channels that are written: a line, or a block, the last one cut short
};

// Where all thresholds are in -32767 .. 32767, accumulators may be cut to int16: acc > T - 1 stays as true or false as
// it was, acc ^ -1 too, and twice as many fit in a register. What stands for thresholds that a channel lacks is never
// reached.
constexpr int32_t kNever = 2147483647;
inline bool fits_int16(const Counted& block, int64_t channels) {
  const int32_t* last = block.thresholds + (block.count - 1) * block.apart;
  int32_t beyond = 0;
  for (int64_t c = 0; c < channels; ++c)
    beyond |= static_cast<int32_t>(block.thresholds[c] < -32767) | static_cast<int32_t>(last[c] > 32767);
  return beyond == 0;
}

// Calls body for two pixels at a time, for the last of an odd number with itself.
template <typename Body>
void for_pairs(const Counted& block, const Body& body) {
  int64_t p = 0;
  for (; p + 1 < block.pixels; p += 2) body(block.acc[p], block.acc[p + 1], block.codes[p], block.codes[p + 1]);
  if (p < block.pixels) body(block.acc[p], block.acc[p], block.codes[p], block.codes[p]);
}

template <typename V>
void count_block(const Counted& block) {
  if (block.count < 1 || block.count > 15 || !fits_int16(block, kWidth)) return V::count_any(block);
  if (block.count == 1) return V::template count_int16<1>(block);
  if (block.count <= 3) return V::template count_int16<3>(block);
  if (block.count <= 7) return V::template count_int16<7>(block);
  V::template count_int16<15>(block);
}

// Whether a line of few thresholds was counted.
template <typename V>
bool count_line(const Counted& line) {
  if (line.count < 1 || line.count > 3 || !fits_int16(line, kLineWidth)) return false;
  if (line.count == 1)
    V::template count_line_int16<1>(line);
  else
    V::template count_line_int16<3>(line);
  return true;
}

template <typename V>
void count_tile(const Epilogue& e, const Tile& tile) {
  if (e.codes.data == nullptr) return;
  const int64_t last = smaller_of(tile.channel + tile.channels, e.channels), apart = padded(e.channels);
  const auto from = [&](int64_t c, int64_t width) {
    return Counted{e.thresholds + c,
                   apart,
                   e.count,
                   e.flip == nullptr ? nullptr : e.flip + c,
                   {tile.acc + (c - tile.channel), tile.stride},
                   run_of(e.codes, {tile.image, tile.y, tile.x, c}),
                   tile.pixels,
                   smaller_of(last - c, width)};
  };
  int64_t c = tile.channel;
  if constexpr (V::kLine)
    while (c + kLineWidth <= last && count_line<V>(from(c, kLineWidth))) c += kLineWidth;
  for (; c < last; c += kWidth) count_block<V>(from(c, kWidth));
}

// A ramp's codes, not yet cut to 0 .. n.
template <typename V>
typename V::Ints on_ramp(typename V::Ints acc, typename V::Floats slope, typename V::Floats offset) {
  return V::rounded(V::fused(V::to_float(acc), slope, offset));
}

// kBlocks blocks of channels from c on. No lambda of climb_tile: clang++ 14 would look for lines in sets without them.
template <typename V, size_t kBlocks>
void climb_blocks(const Epilogue& e, const Tile& tile, int64_t c, int64_t channels) {
  typename V::Floats slope[kBlocks], offset[kBlocks];
  for (size_t b = 0; b < kBlocks; ++b) {
    slope[b] = V::load(e.slope + c + first_of(b));
    offset[b] = V::load(e.offset + c + first_of(b));
  }
  const auto highest = static_cast<uint8_t>(e.count);
  const Run<const int32_t> acc = {tile.acc + (c - tile.channel), tile.stride};
  const auto codes = run_of(e.codes, {tile.image, tile.y, tile.x, c});
  for (int64_t p = 0; p < tile.pixels; ++p) {
    typename V::Ints u[kBlocks];
#pragma GCC unroll 4
    for (size_t b = 0; b < kBlocks; ++b) u[b] = on_ramp<V>(V::load(acc[p] + first_of(b)), slope[b], offset[b]);
    if constexpr (kBlocks == kLineBlocks)
      V::store(codes[p], V::at_most(V::line_of(u[0], u[1], u[2], u[3]), highest));
    else
      V::store(codes[p], V::at_most(V::saturated(u[0]), highest), channels);
  }
}

// Epilogue::climbs(), of all channels of a line.
inline bool climbs(const Epilogue& e, int64_t channel) {
  return e.slope != nullptr && (e.ramped == nullptr || e.ramped[channel / kWidth] != 0);
}
inline bool line_climbs(const Epilogue& e, int64_t channel) {
  for (int64_t c = channel; c < channel + kLineWidth; c += kWidth)
    if (!climbs(e, c)) return false;
  return true;
}

// Blocks without a ramp are left to `others`.
template <typename V, typename Others>
void climb_tile(const Epilogue& e, const Tile& tile, const Others& others) {
  if (e.codes.data == nullptr) return;
  const int64_t last = smaller_of(tile.channel + tile.channels, e.channels);
  for (int64_t c = tile.channel; c < last;) {
    if constexpr (V::kLine)
      if (c + kLineWidth <= last && line_climbs(e, c)) {
        climb_blocks<V, kLineBlocks>(e, tile, c, kLineWidth);
        c += kLineWidth;
        continue;
      }
    const int64_t channels = smaller_of(last - c, kWidth);
    if (climbs(e, c)) {
      climb_blocks<V, 1>(e, tile, c, channels);
    } else {
      Tile block = tile;
      block.acc += c - tile.channel;
      block.channel = c;
      block.channels = channels;
      others(block);
    }
    c += kWidth;
  }
}

template <typename V, Lines lines, typename Encode>
void walk_tile(const Epilogue& e, const Tile& tile, const Encode& encode) {
  const int64_t last = smaller_of(tile.channel + tile.channels, e.channels);
  const auto walk = [&]<size_t kBlocks>(Blocks<kBlocks>, int64_t c) {
    walk_blocks<V, lines, kBlocks>(e, {tile.image, tile.y, tile.x, c}, smaller_of(last - c, kWidth),
                                   Run<const int32_t>{tile.acc + (c - tile.channel), tile.stride}, tile.pixels, encode);
  };
  int64_t c = tile.channel;
  if constexpr (V::kLine && kArithmetic<Encode> && !lines.sums)
    for (; c + kLineWidth <= last; c += kLineWidth) walk(Blocks<kLineBlocks>(), c);
  for (; c < last; c += kWidth) walk(Blocks<1>(), c);
}

constexpr int kSums = 1, kOut = 2, kResidual = 4, kResidualCodes = 8, kLinesEnd = 12;

template <Lines lines>
struct Constant {
  static constexpr Lines value = lines;
};

inline int bits_of(const Epilogue& e) {
  const bool sums = e.in_double || e.partial.data != nullptr || e.class_terms != nullptr || e.relu_first;
  const int residual = e.residual.data != nullptr ? kResidual : e.residual_codes.data != nullptr ? kResidualCodes : 0;
  return residual | (sums ? kSums : 0) | (e.out.data != nullptr ? kOut : 0);
}

// Calls body with the Lines that `bits` say, as a type; kStep 2: there are no sums.
template <int kStep, int kBits = 0, typename Body>
void with_lines(int bits, const Body& body) {
  if (bits == kBits) {
    constexpr Lines kLines = {(kBits & kSums) != 0, (kBits & kResidual) != 0, (kBits & kResidualCodes) != 0,
                              (kBits & kOut) != 0};
    body(Constant<kLines>());
  } else if constexpr (kBits + kStep < kLinesEnd) {
    with_lines<kStep, kBits + kStep>(bits, body);
  }
}

template <typename V>
void walk_chain(const Epilogue& e, const Tile& tile) {
  with_encoder<V>(e, [&](const auto& encode) {
    with_lines<1>(bits_of(e), [&](auto lines) { walk_tile<V, lines.value>(e, tile, encode); });
  });
}

template <typename V>
void apply(const Epilogue& e, const Tile& tile) {
  if (e.slope != nullptr) return climb_tile<V>(e, tile, [&](const Tile& block) { walk_chain<V>(e, block); });
  if (e.thresholds != nullptr) return count_tile<V>(e, tile);
  walk_chain<V>(e, tile);
}

template <typename V>
void apply_rows(const Epilogue& e, const FloatMap<const float>& in, int64_t first, int64_t last) {
  with_encoder<V>(e, [&](const auto& encode) {
    with_lines<2>(bits_of(e) & ~kSums, [&](auto lines) {
      for (int64_t row = first; row < last; ++row)
        for (int64_t c = 0; c < e.channels; c += kWidth) {
          const Place at = {row / in.h, row % in.h, 0, c};
          walk_blocks<V, lines.value, 1>(e, at, smaller_of(e.channels - c, kWidth), run_of(in, at), in.w, encode);
        }
    });
  });
}

}  // namespace
}  // namespace auxbench::requantize
