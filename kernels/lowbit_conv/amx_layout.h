// How the convolution on matrix tiles (amx_kernel.h) divides its work, and its weights: a blob's body, and how a panel
// of packed weights becomes bytes.
#pragma once

#include "kernels/lowbit_conv/kernel.h"

namespace auxbench::lowbit_conv {
namespace {

constexpr int64_t kTileRows = 16;   // of pixels; of groups of 4 bytes in a tile of weights
constexpr int64_t kStepBytes = 64;  // of a run, and of a tile's row
constexpr int64_t kTileOutputs = 16;
constexpr int64_t kTileBytes = kTileRows * kStepBytes;
constexpr int64_t kPanelTiles = 2;
constexpr int64_t kPanelOutputs = kPanelTiles * kTileOutputs;

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t parts(int64_t whole, int64_t part) { return (whole + part - 1) / part; }

// How runs, steps and panels divide the weights.
struct Layout {
  int64_t taps_per_run, pixel;  // a run: taps_per_run taps, each `pixel` bytes of which c count
  int64_t steps_per_run, steps;
  int64_t output_tiles, panels;
  bool packed;  // at weight_bits
  bool summed;  // with a tile of weights 1 behind the last panel

  [[nodiscard]] bool kernel_rows() const { return taps_per_run > 1; }
  [[nodiscard]] int64_t panel_tiles(int64_t panel) const {
    return smaller(kPanelTiles, output_tiles - panel * kPanelTiles);
  }
};

inline Layout layout_of(const Problem& p) {
  constexpr int64_t kLarge = 1 << 20;
  Layout layout = {};
  // A map's usual pixel; another one is brought to it (gather()).
  const int64_t usual = p.c < 16 ? round_up(p.c, 4) : round_up(p.c, 16);
  const int64_t of_tap = parts(p.c, kStepBytes), of_row = parts(p.s * usual, kStepBytes);
  const bool rows = of_row < p.s * of_tap;
  layout.taps_per_run = rows ? p.s : 1;
  layout.pixel = rows ? usual : p.c;
  layout.steps_per_run = rows ? of_row : of_tap;
  layout.steps = layout.steps_per_run * p.r * (rows ? 1 : p.s);
  layout.output_tiles = parts(p.out, kTileOutputs);
  layout.panels = parts(layout.output_tiles, kPanelTiles);
  // A grid of odd numbers has no code for 0, so packed runs must have no padding bytes.
  layout.packed = p.out * p.taps() > kLarge && p.c % kStepBytes == 0 &&
                  (p.weight_bits == 1 || p.weight_bits == 2 || p.weight_bits == 4);
  layout.summed = p.weight_bits == 8 && p.odd_weights;
  return layout;
}

// Output rows are divided into blocks; a task is a block and a panel.
struct Blocks {
  int64_t count, most_rows;  // of an image

  [[nodiscard]] int64_t first_row(const Problem& p, int64_t block) const { return block * p.out_h() / count; }
};

inline Blocks blocks_of(const Problem& p, const Layout& layout) {
  // A panel is read, or unpacked, once a block. Threads want some tasks even so.
  constexpr int64_t kPixels = 256, kPixelsToUnpackFor = 1024, kTasks = 8;
  const int64_t rows = parts(layout.packed ? kPixelsToUnpackFor : kPixels, p.out_w());
  int64_t count = larger(parts(p.out_h(), rows), parts(kTasks, p.n * layout.panels));
  count = smaller(count, p.out_h());
  return {.count = count, .most_rows = parts(p.out_h(), count)};
}

inline Multiplied multiplied_by(const Problem& p) { return {.values = p.weight_bits != 8}; }

// Weights.

// What is multiplied with byte k of a step, for output o.
inline int8_t weight_of(const Problem& p, const Layout& layout, const int8_t* codes, int64_t o, int64_t step,
                        int64_t k) {
  const int64_t byte = step % layout.steps_per_run * kStepBytes + k;
  const int64_t tap = step / layout.steps_per_run * layout.taps_per_run + byte / layout.pixel, c = byte % layout.pixel;
  if (byte >= layout.taps_per_run * layout.pixel || c >= p.c || o >= p.out) return 0;
  return codes == nullptr ? int8_t{1} : codes[(o * p.r * p.s + tap) * p.c + c];
}

// Calls put(offset, weight) for each byte of a tile: [k / 4][output][k % 4].
template <typename Put>
void for_tile(const Problem& p, const Layout& layout, const int8_t* codes, int64_t tile, int64_t step, Put put) {
  for (int64_t k = 0; k < kStepBytes; ++k)
    for (int64_t i = 0; i < kTileOutputs; ++i)
      put(k / 4 * kStepBytes + i * 4 + k % 4, weight_of(p, layout, codes, tile * kTileOutputs + i, step, k));
}

// Of a tile in the body; panels of [step][1 or 2 tiles].
inline int64_t tile_bytes(const Problem& p, const Layout& layout) {
  return layout.packed ? kTileBytes / 8 * p.weight_bits : kTileBytes;
}

inline int64_t panel_offset(const Problem& p, const Layout& layout, int64_t panel) {
  return panel * kPanelTiles * layout.steps * tile_bytes(p, layout);
}

inline int64_t ones_offset(const Layout& layout) { return layout.output_tiles * layout.steps * kTileBytes; }

inline size_t body_bytes(const Problem& p) {
  const auto layout = layout_of(p);
  return static_cast<size_t>((layout.output_tiles + (layout.summed ? 1 : 0)) * layout.steps * tile_bytes(p, layout));
}

// Codes at their bits: u = c + 2^(bits - 1). Vector v of 64 bytes holds rows v * (8 / bits) + j of a tile, row j in
// bits j * bits and up of each byte: unpacking is shifts and masks of whole vectors.
inline void put_code(const Problem& p, std::byte* tile, int64_t offset, int8_t weight) {
  const int64_t row = offset / kStepBytes, rows = 8 / p.weight_bits;
  const int code = (p.odd_weights ? (weight - 1) / 2 : weight) + (1 << (p.weight_bits - 1));
  tile[row / rows * kStepBytes + offset % kStepBytes] |= static_cast<std::byte>(code << (row % rows * p.weight_bits));
}

inline void pack(const Problem& p, const int8_t* codes, std::byte* body) {
  const auto layout = layout_of(p);
  const int64_t bytes = tile_bytes(p, layout);
  const int factor = p.weight_bits == 8 ? 1 : p.activation_step;
  for (int64_t tile = 0; tile < layout.output_tiles; ++tile) {
    const int64_t panel = tile / kPanelTiles, tiles = layout.panel_tiles(panel);
    for (int64_t step = 0; step < layout.steps; ++step) {
      auto* to = body + panel_offset(p, layout, panel) + (step * tiles + tile % kPanelTiles) * bytes;
      for_tile(p, layout, codes, tile, step, [&](int64_t offset, int8_t weight) {
        if (!layout.packed)
          to[offset] = static_cast<std::byte>(factor * weight);
        else if (weight != 0 || !p.odd_weights)
          put_code(p, to, offset, weight);
      });
    }
  }
  if (!layout.summed) return;
  for (int64_t step = 0; step < layout.steps; ++step) {
    auto* to = body + ones_offset(layout) + step * kTileBytes;
    for_tile(p, layout, nullptr, 0, step, [&](int64_t offset, int8_t weight) { to[offset] = std::byte(weight); });
  }
}

using Words = uint16_t __attribute__((vector_size(64), may_alias));
using Bytes = uint8_t __attribute__((vector_size(64), may_alias));

template <int bits>
void unpack(const Problem& p, const std::byte* from, int64_t tiles, std::byte* to) {
  // byte = step (c or 2 c + 1) = (u << shift) + constant, modulo 256
  constexpr int kHalf = 1 << (bits - 1), kRows = 8 / bits;
  constexpr uint16_t kMask = static_cast<uint16_t>(((1 << bits) - 1) * 0x101);
  const auto shift = static_cast<uint16_t>((p.odd_weights ? 1 : 0) + (p.activation_step == 2 ? 1 : 0));
  const auto constant = static_cast<uint8_t>(p.activation_step * (p.odd_weights ? 1 - 2 * kHalf : -kHalf));
  for (int64_t vector = 0; vector < tiles * bits * 2; ++vector, from += kStepBytes) {
    const Words codes = *reinterpret_cast<const Words*>(from);
    for (int row = 0; row < kRows; ++row, to += kStepBytes) {
      const Words scaled = ((codes >> static_cast<uint16_t>(row * bits)) & kMask) << shift;
      *reinterpret_cast<Bytes*>(to) = reinterpret_cast<Bytes>(scaled) + constant;
    }
  }
}

}  // namespace
}  // namespace auxbench::lowbit_conv
