// Codes of sums that have not left the registers: what apply() does with them (blocks.h), for the last step of a
// convolution on four blocks of channels, a line of codes. A kernel that can do this itself may, where the sink it was
// given is apply() of the same instruction set; the codes are the same.
//
//   can(epilogue)                whether this maker makes the epilogue's codes, and they are all that is wanted
//   make(acc, channel, lines)    of the sums of P pixels, channels `channel` .. + 64, a line of codes each
//
// Constants come from memory each time: the loop that made the sums has left no registers for them.
#pragma once

#include "kernels/requantize/blocks.h"

namespace auxbench::requantize {
namespace {

template <typename V, size_t P>
using Sums = typename V::Ints[P][kLineBlocks];
template <typename V, size_t P>
using LinesOf = typename V::Line[P];

template <typename V>
struct RampLine {
  const float *slope, *offset;
  uint8_t highest;

  static bool can(const Epilogue& e) { return e.slope != nullptr && e.codes.data != nullptr; }
  explicit RampLine(const Epilogue& e) : slope(e.slope), offset(e.offset), highest(static_cast<uint8_t>(e.count)) {}

  template <size_t P>
  [[gnu::always_inline]] void make(Sums<V, P>& acc, int64_t channel, LinesOf<V, P>& lines) const {
#pragma GCC unroll 4
    for (size_t b = 0; b < kLineBlocks; ++b) {
      const auto factor = V::load(slope + channel + first_of(b)), term = V::load(offset + channel + first_of(b));
#pragma GCC unroll 8
      for (size_t p = 0; p < P; ++p) acc[p][b] = on_ramp<V>(acc[p][b], factor, term);
    }
#pragma GCC unroll 8
    for (size_t p = 0; p < P; ++p)
      lines[p] = V::at_most(V::line_of(acc[p][0], acc[p][1], acc[p][2], acc[p][3]), highest);
  }
};

// A chain of scale and norm whose codes begin at 0.
template <typename V>
struct ChainLine {
  const float *scale, *alpha, *beta;
  FromZero<V, false> encoder;

  static bool can(const Epilogue& e) {
    return e.slope == nullptr && e.thresholds == nullptr && bits_of(e) == 0 && e.codes.data != nullptr &&
           e.scale != nullptr && e.alpha != nullptr && e.beta != nullptr && e.encoder.kind == Encoder::Kind::affine &&
           e.encoder.divide == 1 && FromZero<V, false>::is(e.encoder) &&
           (!e.clamp || clamps(FromZero<V, false>(e.encoder), e));
  }
  explicit ChainLine(const Epilogue& e) : scale(e.scale), alpha(e.alpha), beta(e.beta), encoder(e.encoder) {}

  template <size_t P>
  [[gnu::always_inline]] void make(Sums<V, P>& acc, int64_t channel, LinesOf<V, P>& lines) const {
#pragma GCC unroll 4
    for (size_t b = 0; b < kLineBlocks; ++b) {
      const int64_t c = channel + first_of(b);
      const auto unit = V::load(scale + c), factor = V::load(alpha + c), term = V::load(beta + c);
#pragma GCC unroll 8
      for (size_t p = 0; p < P; ++p)
        acc[p][b] = encoder.code(V::add(V::mul(V::mul(V::to_float(acc[p][b]), unit), factor), term));
    }
#pragma GCC unroll 8
    for (size_t p = 0; p < P; ++p) lines[p] = V::line_of(acc[p][0], acc[p][1], acc[p][2], acc[p][3]);
  }
};

// Sums that a loop has left in registers are other variables from here on: else GCC, which wants them elsewhere for
// what follows, moves them about in the loop, and spills them.
template <typename V, size_t P>
[[gnu::always_inline]] inline void leave_loop(Sums<V, P>& acc) {
#pragma GCC unroll 8
  for (size_t p = 0; p < P; ++p)
#pragma GCC unroll 4
    for (size_t b = 0; b < kLineBlocks; ++b) asm volatile("" : "+v"(acc[p][b]));
}

}  // namespace
}  // namespace auxbench::requantize
