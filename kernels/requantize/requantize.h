// What follows a convolution on codes: int32 accumulators become codes for the next layer, floats for the residual
// stream, or both. The one definition; bit for bit the same in every instruction set, and what fake-quant evaluation
// computes with torch's operators, step for step.
//
// Three ways from an accumulator to a code u in 0 .. n:
//
//   thresholds   u = #{ j : (acc ^ flip) >= T_j }, T of the channel, rising, j = 1 .. n. flip is 0, or -1 where the
//                code falls as acc grows (negative gamma): acc ^ -1 = -acc - 1 cannot overflow.
//   ramp         u = clamp(rne(fma(float(acc), slope, offset)), 0, n), slope and offset of the channel: one rounding.
//                What thresholds come to that lie evenly, as those of uniform quantizers do (find_ramp).
//   chain        each line where it is asked for, each operation rounded to float once, none fused:
//                  v = float(acc) * scale                  or float(double(acc) * double(scale)) (in_double)
//                  v = partial + v                         sums of earlier digits of the same convolution
//                  v = v + class_terms[class]              what an offset of the input adds, fewer taps at a border
//                  v = max(v, 0)                           relu_first: Group-Net's ReLU before its norm
//                  v = v * alpha + beta                    the norm: a product, then a sum
//                  v = v + residual                        a float map, or (step u + shift) * scale + offset of codes
//                  v = clamp(v, lo, hi)                    the activation
//                  out = v;  u = encoder(v)
//
// float(acc) rounds to nearest even, as the processors' conversion does. Torch-free; no allocation, no lock.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/isa/isa.h"

namespace auxbench::requantize {

// Arrays with a number per channel are padded to a multiple of this. The padding is read, and its values do not matter.
inline constexpr int64_t kChannelBlock = 16;
inline int64_t padded_channels(int64_t channels) {
  return (channels + kChannelBlock - 1) / kChannelBlock * kChannelBlock;
}

// Unsigned codes, NHWC with a border of `border` pixels on all sides: byte ((n (h + 2 border) + y + border)
// (w + 2 border) + x + border) pixel + c. `pixel` is a multiple of 4 and at least the channels; after the last pixel 64
// bytes more may be read. The border holds what padding means to the reader; writers leave it alone. Channels between
// the last and `pixel` hold any code.
template <typename Byte>
struct CodeMap {
  Byte* data = nullptr;
  int64_t h = 0, w = 0, border = 0, pixel = 0;

  [[nodiscard]] int64_t row() const { return (w + 2 * border) * pixel; }
  [[nodiscard]] int64_t image() const { return (h + 2 * border) * row(); }
  [[nodiscard]] Byte* at(int64_t n, int64_t y, int64_t x) const {
    return data + n * image() + (y + border) * row() + (x + border) * pixel;
  }
  // To be read alone.
  operator CodeMap<const Byte>() const requires(!std::is_const_v<Byte>) {
    return {.data = data, .h = h, .w = w, .border = border, .pixel = pixel};
  }
};
inline constexpr int64_t kSlack = 64;

// Floats, NHWC, no border: ((n h + y) w + x) pixel + c. `pixel` is a multiple of kChannelBlock; writers may write
// anything into the channels beyond the last.
template <typename Float>
struct FloatMap {
  Float* data = nullptr;
  int64_t h = 0, w = 0, pixel = 0;

  [[nodiscard]] Float* at(int64_t n, int64_t y, int64_t x) const { return data + ((n * h + y) * w + x) * pixel; }
  operator FloatMap<const Float>() const requires(!std::is_const_v<Float>) {
    return {.data = data, .h = h, .w = w, .pixel = pixel};
  }
};

// A rising function from floats to codes 0 .. steps. NaN has no code of its own: it gets one of these.
struct Encoder {
  enum class Kind {
    none,
    thresholds,  // u = #{ j : v >= table[j - 1] }, table has `steps` entries, rising; steps <= 15 is fast, any count
                 // works
    affine       // u = int(rne(clamp((v - subtract) / divide, lo, hi) * multiply)) + add, result in 0 .. steps;
                 // a step whose constant is neutral (0, 1, 1) is left out: it would change nothing
  };
  Kind kind = Kind::none;
  int32_t steps = 0;
  const float* table = nullptr;  // padded with +infinity to a multiple of 16 entries
  float subtract = 0, divide = 1, lo = 0, hi = 1, multiply = 1;
  int32_t add = 0;
};

struct Epilogue {
  int64_t channels = 0;

  // thresholds: threshold j of channel c at thresholds[(j - 1) * padded_channels + c]; null: chain
  const int32_t* thresholds = nullptr;
  const int32_t* flip = nullptr;
  int32_t count = 0;  // n, of thresholds and ramp

  // ramp: of padded_channels numbers, in whose results 2^31 is not reached; null: another way. Goes before thresholds.
  // ramped: of each block of kChannelBlock channels whether it has ramps, or its chain is walked; null: all have.
  const float* slope = nullptr;
  const float* offset = nullptr;
  const uint8_t* ramped = nullptr;

  [[nodiscard]] bool climbs(int64_t channel) const {
    return slope != nullptr && (ramped == nullptr || ramped[channel / kChannelBlock] != 0);
  }

  // chain; null or false: the line is not asked for. Arrays of padded_channels numbers.
  const float* scale = nullptr;
  bool in_double = false;
  FloatMap<const float> partial;
  const float* class_terms = nullptr;     // [classes][padded_channels]
  const uint8_t* row_class = nullptr;     // of each output row and column: class = row_class[y] * column_classes +
  const uint8_t* column_class = nullptr;  // column_class[x]
  int32_t column_classes = 1;
  bool relu_first = false;
  const float* alpha = nullptr;
  const float* beta = nullptr;
  FloatMap<const float> residual;
  CodeMap<const uint8_t> residual_codes;
  float residual_step = 1, residual_shift = 0, residual_scale = 1, residual_offset = 0;
  bool clamp = false;
  float lo = 0, hi = std::numeric_limits<float>::infinity();
  Encoder encoder;

  // where it goes; null: not wanted
  FloatMap<float> out;
  CodeMap<uint8_t> codes;
};

// Accumulators of `pixels` neighbours in one row of one image, from pixel (y, x) on, for `channels` channels from
// `channel` on, a multiple of kChannelBlock: acc[p * stride + c - channel]. `channels` need not be a multiple of it,
// but then acc may be read up to the next one.
struct Tile {
  const int32_t* acc = nullptr;
  int64_t stride = 0;
  int64_t image = 0, y = 0, x = 0, pixels = 0;
  int64_t channel = 0, channels = 0;
};

// Writes the tile's outputs: a code byte only for real channels, floats up to the next multiple of kChannelBlock.
using Apply = void (*)(const Epilogue& epilogue, const Tile& tile);

Apply apply_for(const Isa& isa);
void apply_reference(const Epilogue& epilogue, const Tile& tile);  // one element at a time: the slow truth

// An Apply for callers that need the accumulators themselves. It writes them as int32, real channels only, to
// epilogue.out in place of floats. sums_map() makes that map from the caller's array, which has at least `channels`
// numbers a pixel.
void keep_sums(const Epilogue& epilogue, const Tile& tile);
inline FloatMap<float> sums_map(int32_t* data, int64_t h, int64_t w, int64_t pixel) {
  return {.data = reinterpret_cast<float*>(data), .h = h, .w = w, .pixel = pixel};
}

// The chain for a whole row of pixels of a float map (a batch norm, activation or encoder without a convolution before
// it): v = in, alpha and beta, residual, clamp, out, codes. acc and the lines before alpha are ignored. Rows first .. last of all images counted through (n h + y).
using ApplyRows = void (*)(const Epilogue& epilogue, const FloatMap<const float>& in, int64_t first, int64_t last);

ApplyRows apply_rows_for(const Isa& isa);
void apply_rows_reference(const Epilogue& epilogue, const FloatMap<const float>& in, int64_t first, int64_t last);

// One number through the chain, for the search of thresholds: what apply_reference does with accumulator `acc` of
// channel c in the interior, without partial or residual.
int32_t code_of(const Epilogue& epilogue, int32_t acc, int64_t channel, int64_t border_class);
int32_t encode(const Encoder& encoder, float v);

// Integer thresholds of the chain in `epilogue` for every channel by bisection over [-bound, bound], so that both ways
// give the same codes for all accumulators in there. Returns false, and nothing, where there is a residual, a partial
// sum, an output of floats or more than one border class: then the chain must be walked.
struct Thresholds {
  std::vector<int32_t> values, flip;  // as Epilogue::thresholds and flip
  int32_t count = 0;
};
bool find_thresholds(const Epilogue& chain, int32_t bound, Thresholds& found);

// Ramps that give the codes of `thresholds`, as find_thresholds gives them, for all |acc| <= bound: in double, of all
// lines that pass between acc = T_j - 1 and T_j at the height j - 1/2 the one with the most room, then tried in float
// at all these accumulators; codes never fall along a ramp, so no other acc need be tried. Some channels have no such
// line even of thresholds that lie evenly, where the chain's roundings decided an acc that lay on the edge: their
// blocks are not `ramped`. Returns false, and nothing, where that is most blocks.
struct Ramp {
  std::vector<float> slope, offset;
  std::vector<uint8_t> ramped;  // of each block
};
bool find_ramp(const Thresholds& thresholds, int64_t channels, int32_t bound, Ramp& found);

// Replaces a chain of few levels by the fastest form with equal codes for all |acc| <= bound (bench-requantize): a ramp,
// or a comparison for a single threshold. `numbers` owns what the epilogue then points to.
struct Simpler {
  Thresholds thresholds;
  Ramp ramp;
};
void simplify(Epilogue& chain, int32_t bound, Simpler& numbers);

}  // namespace auxbench::requantize
