// The convolution on matrix tiles (AMX), over any unit that has its five instructions: the processor's (amx.cc) or
// software that obeys the same rules (amx_emulated.cc, for tests on other processors). For these two files only.
//
// Implicit GEMM. A step multiplies 16 pixels x 64 bytes of codes by 64 bytes x 16 outputs of weights; a block is 2 x 2
// of these, so each loaded tile is used twice:
//
//   pixels   A tile is loaded straight from the map: row i starts at the pixel the tap sees from output i, which is
//            stride * pixel bytes behind that of output i - 1. Rows of outputs are counted through the map's padded
//            width as one line where that takes fewer tiles: the columns between rows are computed and thrown away, and
//            tiles are full on small maps too. A line's last tile ends at its last output, recomputing some, so that
//            nothing outside the map is read and no tile needs another configuration.
//   bytes    A run is what lies together in the map: the channels of a tap, or all taps of a kernel row where that
//            takes fewer steps (few channels). Runs are cut into steps of 64 bytes; where the last one reaches beyond,
//            weights are 0: it reads neighbours, at most 63 bytes past the map's end (kSlack).
//   outputs  A panel is 32 outputs, its weights in the order steps read them. They are stored as int8, or, in layers
//            too large for a core's cache, at 1, 2 or 4 bits and unpacked once for all pixels of a task.
//
// acc = dot_factor dot + row_factor sum u + correction: tiles start from a correction row, loaded with stride 0, and
// weights of up to 4 bits are multiplied by activation_step when packed, so the tiles' sums are acc already; only 8-bit
// weights with a factor take a pass over them, and sum u there is what one more tile, of weights 1, gives.
//
// What bounds it (measured by hand on one core of an Intel Xeon with AMX, no published run; MAC a cycle): 870 from registers, 714 with both
// operands from L1, 675 to 733 with weights from L2, 400 to 477 with both from L2. An output costs what 210 to 290 MACs
// cost, so 1x1 layers of few channels are bound by what follows.
#pragma once

#include "kernels/lowbit_conv/amx_layout.h"

namespace auxbench::lowbit_conv {
namespace {

constexpr int64_t kBlockPixels = 2 * kTileRows;

// The operand of ldtilecfg. Tiles 0 .. 3: sums, 4 and 5: pixels, 6 and 7: weights.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

inline TileConfig tiles_of(int64_t pixels) {
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = kStepBytes;
    config.rows[tile] = static_cast<uint8_t>(tile < 6 ? pixels : kTileRows);
  }
  return config;
}

// Workspace of a thread: unpacked panel, gathered rows, offsets of steps.
struct Own {
  int64_t panel, gathered, offsets;

  [[nodiscard]] int64_t bytes() const { return panel + gathered + offsets; }
};

inline Own own_of(const Problem& p) {
  const auto layout = layout_of(p);
  const int64_t rows = (blocks_of(p, layout).most_rows - 1) * p.stride + p.r;
  const int64_t gathered = rows * (p.w + 2 * p.pad) * layout.pixel + requantize::kSlack;
  return {.panel = layout.packed ? layout.steps * kPanelTiles * kTileBytes : 0,
          .gathered = layout.kernel_rows() ? round_up(gathered, kStepBytes) : 0,
          .offsets = round_up(layout.steps * static_cast<int64_t>(sizeof(int64_t)), kStepBytes)};
}

// Pixels.

// Where a block's taps are: output `position` of the block reads from first + position * stride * pixel + an offset.
struct Source {
  const uint8_t* first = nullptr;
  int64_t width = 0, pixel = 0;  // of a padded row, in pixels; of a pixel, in bytes
};

// Where the map's pixel is not the layout's: the rows a block reads, with the layout's. Bytes beyond c stay what they
// are: their weights are 0.
inline Source gather(const Problem& p, const Layout& layout, const requantize::CodeMap<const uint8_t>& in, int64_t n,
                     int64_t y, int64_t rows, uint8_t* to) {
  const Source source = {.first = to, .width = p.w + 2 * p.pad, .pixel = layout.pixel};
  for (int64_t row = 0; row < (rows - 1) * p.stride + p.r; ++row)
    for (int64_t x = 0; x < source.width; ++x, to += layout.pixel) {
      const auto* from = in.at(n, y * p.stride - p.pad + row, x - p.pad);
      for (int64_t c = 0; c < p.c; ++c) to[c] = from[c];
    }
  return source;
}

inline void fill_offsets(const Problem& p, const Layout& layout, int64_t width, int64_t pixel, int64_t* offsets) {
  for (int64_t step = 0; step < layout.steps; ++step) {
    const int64_t tap = step / layout.steps_per_run * layout.taps_per_run;
    offsets[step] = (tap / p.s * width + tap % p.s) * pixel + step % layout.steps_per_run * kStepBytes;
  }
}

// Tiles of pixels of a block of rows. Position: y * width + x, counted from the block's first output.
struct Tiling {
  int64_t width, length;  // of a line, in positions
  int64_t tiles_per_line, tiles;
  int64_t pixels;  // of a tile

  Tiling(const Problem& p, int64_t padded_width, int64_t rows) : width(padded_width) {
    const int64_t through = (rows - 1) * width + p.out_w();
    const bool one_line = parts(through, kTileRows) <= rows * parts(p.out_w(), kTileRows);
    length = one_line ? through : p.out_w();
    tiles_per_line = parts(length, kTileRows);
    tiles = one_line ? tiles_per_line : rows * tiles_per_line;
    pixels = parts(length, tiles_per_line);
  }

  struct Tile {
    int64_t line, start;  // its first row's position
    int64_t first, last;  // positions that are its own; those before were the last tile's
  };
  [[nodiscard]] Tile tile(int64_t index) const {
    const int64_t line = index / tiles_per_line, begin = line * width;
    const int64_t first = index % tiles_per_line * pixels, last = smaller(first + pixels, length);
    return {
        .line = line, .start = begin + smaller(first, length - pixels), .first = begin + first, .last = begin + last};
  }
};

alignas(64) constexpr int32_t kZeros[kPanelOutputs] = {};

template <typename Unit>
struct TileConvolution {
  // Sums of 1 or 2 tiles of pixels, at `a` and a + second bytes, and 1 or 2 tiles of outputs, into acc: rows of
  // output_tiles * 16 numbers, the second tile's from second_row on.
  template <int pixel_tiles, int output_tiles>
  static void multiply(const uint8_t* a, int64_t second, int64_t a_stride, const int64_t* offsets, int64_t steps,
                       const std::byte* weights, const int32_t* start, int32_t* acc, int64_t second_row) {
    constexpr bool two_pixels = pixel_tiles == 2, two_outputs = output_tiles == 2;
    constexpr int64_t row = output_tiles * kTileOutputs, row_bytes = row * static_cast<int64_t>(sizeof(int32_t));
    Unit::template load<0>(start, 0);
    if constexpr (two_outputs) Unit::template load<1>(start + kTileOutputs, 0);
    if constexpr (two_pixels) Unit::template load<2>(start, 0);
    if constexpr (two_pixels && two_outputs) Unit::template load<3>(start + kTileOutputs, 0);
    for (int64_t step = 0; step < steps; ++step, weights += output_tiles * kTileBytes) {
      const uint8_t* codes = a + offsets[step];
      Unit::template load<6>(weights, kStepBytes);
      Unit::template load<4>(codes, a_stride);
      Unit::template dot<0, 4, 6>();
      if constexpr (two_outputs) {
        Unit::template load<7>(weights + kTileBytes, kStepBytes);
        Unit::template dot<1, 4, 7>();
      }
      if constexpr (two_pixels) {
        Unit::template load<5>(codes + second, a_stride);
        Unit::template dot<2, 5, 6>();
      }
      if constexpr (two_pixels && two_outputs) Unit::template dot<3, 5, 7>();
    }
    // The second tile last: it may repeat rows of the first.
    Unit::template store<0>(acc, row_bytes);
    if constexpr (two_outputs) Unit::template store<1>(acc + kTileOutputs, row_bytes);
    if constexpr (two_pixels) Unit::template store<2>(acc + second_row * row, row_bytes);
    if constexpr (two_pixels && two_outputs) Unit::template store<3>(acc + second_row * row + kTileOutputs, row_bytes);
  }

  struct Run {
    const Problem& p;
    const Layout& layout;
    const Arguments& arguments;
    const Packed& packed;
    int32_t dot_factor, row_factor;
    bool scaled;        // by these factors, in a pass of its own
    bool borders_vary;  // corrections do, between classes
  };

  struct Task {
    int64_t image, y, panel;  // y: the block's first row
    const std::byte* weights;
    const int32_t* start;  // the correction row that all pixels start from
  };

  // Sums to accumulators: `pixels` rows of a tile that start at output (y, x).
  static void correct(const Run& run, const Task& task, int64_t y, int64_t x, int64_t pixels, int32_t* acc,
                      const int32_t* sums) {
    const int64_t row = run.layout.panel_tiles(task.panel) * kTileOutputs;
    for (int64_t i = 0; i < pixels; ++i, acc += row, sums += kTileOutputs) {
      const auto* correction =
          run.packed.correction(y, x + i, round_up(run.p.out, kBlock)) + task.panel * kPanelOutputs;
      if (run.scaled) {
        const int32_t added = run.row_factor == 0 ? 0 : run.row_factor * sums[0];
        for (int64_t o = 0; o < row; ++o) acc[o] = run.dot_factor * acc[o] + added + correction[o];
      } else if (correction != task.start) {
        for (int64_t o = 0; o < row; ++o) acc[o] += correction[o] - task.start[o];
      }
    }
  }

  // Hands positions first .. last to the sink, a row of outputs at a time.
  static void emit(const Run& run, const Task& task, int64_t width, int64_t first, int64_t last, int32_t* acc,
                   const int32_t* sums) {
    const int64_t row = run.layout.panel_tiles(task.panel) * kTileOutputs, o = task.panel * kPanelOutputs;
    for (int64_t position = first; position < last;) {
      const int64_t y = task.y + position / width, x = position % width;
      const int64_t pixels = smaller(run.p.out_w() - x, last - position);
      if (pixels > 0) {
        auto* here = acc + (position - first) * row;
        if (run.scaled || run.borders_vary)
          correct(run, task, y, x, pixels, here, sums + (position - first) * kTileOutputs);
        run.arguments.sink(*run.arguments.epilogue, {.acc = here,
                                                     .stride = row,
                                                     .image = task.image,
                                                     .y = y,
                                                     .x = x,
                                                     .pixels = pixels,
                                                     .channel = o,
                                                     .channels = smaller(row, run.p.out - o)});
        position += pixels;
      } else {
        position += width - x;
      }
    }
  }

  template <int pixel_tiles>
  static void block(const Run& run, const Task& task, const Source& source, const int64_t* offsets,
                    const Tiling& tiling, int64_t index) {
    alignas(64) int32_t acc[kBlockPixels * kPanelOutputs];
    alignas(64) int32_t sums[kBlockPixels * kTileOutputs];
    const int64_t step = run.p.stride * source.pixel, steps = run.layout.steps,
                  tiles = run.layout.panel_tiles(task.panel);
    const auto one = tiling.tile(index), two = tiling.tile(index + pixel_tiles - 1);
    const auto* a = source.first + one.start * step;
    const int64_t second = (two.start - one.start) * step;
    const int64_t second_row = one.line == two.line ? two.start - one.start : tiling.pixels;
    if (run.row_factor != 0)
      multiply<pixel_tiles, 1>(a, second, step, offsets, steps, run.packed.body + ones_offset(run.layout), kZeros, sums,
                               second_row);
    const auto* start = run.scaled ? kZeros : task.start;
    if (tiles == 2)
      multiply<pixel_tiles, 2>(a, second, step, offsets, steps, task.weights, start, acc, second_row);
    else
      multiply<pixel_tiles, 1>(a, second, step, offsets, steps, task.weights, start, acc, second_row);
    const int64_t row = tiles * kTileOutputs;
    if (one.line == two.line) {
      emit(run, task, tiling.width, one.first, two.last, acc + (one.first - one.start) * row,
           sums + (one.first - one.start) * kTileOutputs);
      return;
    }
    emit(run, task, tiling.width, one.first, one.last, acc + (one.first - one.start) * row,
         sums + (one.first - one.start) * kTileOutputs);
    // Then the second is the first of its line, and all its positions are its own.
    emit(run, task, tiling.width, two.first, two.last, acc + second_row * row, sums + second_row * kTileOutputs);
  }

  static void run(const Problem& p, int, int64_t first, int64_t last, const Arguments& arguments,
                  const Packed& packed) {
    const auto layout = layout_of(p);
    const auto blocks = blocks_of(p, layout);
    const auto own = own_of(p);
    const auto multiplied = multiplied_by(p);
    const int32_t dot_factor = multiplied.values ? 1 : multiplied.dot_factor(p), row_factor = multiplied.row_factor(p);
    const Run all = {.p = p,
                     .layout = layout,
                     .arguments = arguments,
                     .packed = packed,
                     .dot_factor = dot_factor,
                     .row_factor = row_factor,
                     .scaled = dot_factor != 1 || row_factor != 0,
                     .borders_vary = p.activation_shift + p.activation_step * p.border_code() != 0};
    auto* gathered = reinterpret_cast<uint8_t*>(arguments.own + own.panel);
    auto* offsets = reinterpret_cast<int64_t*>(arguments.own + own.panel + own.gathered);
    const auto& in = arguments.in;
    const bool gathers = layout.kernel_rows() && in.pixel != layout.pixel;
    const int64_t width = gathers ? p.w + 2 * p.pad : in.w + 2 * in.border;
    fill_offsets(p, layout, width, gathers ? layout.pixel : in.pixel, offsets);
    // Tasks that share what costs most to fetch are neighbours: an unpacked panel, or else a block of pixels.
    const int64_t images_blocks = p.n * blocks.count;
    int64_t unpacked = -1, at_hand = -1, configured = 0;
    Source source;
    for (int64_t index = first; index < last; ++index) {
      const int64_t panel = layout.packed ? index / images_blocks : index % layout.panels;
      const int64_t image_block = layout.packed ? index % images_blocks : index / layout.panels;
      const int64_t n = image_block / blocks.count, block_index = image_block % blocks.count;
      const int64_t y = blocks.first_row(p, block_index), rows = blocks.first_row(p, block_index + 1) - y;
      if (image_block != at_hand) {
        source = gathers ? gather(p, layout, in, n, y, rows, gathered)
                         : Source{.first = in.at(n, y * p.stride - p.pad, -p.pad), .width = width, .pixel = in.pixel};
        at_hand = image_block;
      }
      const auto* weights = packed.body + panel_offset(p, layout, panel);
      if (layout.packed) {
        if (panel != unpacked) {
          const int64_t tiles = layout.steps * layout.panel_tiles(panel);
          if (p.weight_bits == 1)
            unpack<1>(p, weights, tiles, arguments.own);
          else if (p.weight_bits == 2)
            unpack<2>(p, weights, tiles, arguments.own);
          else
            unpack<4>(p, weights, tiles, arguments.own);
          unpacked = panel;
        }
        weights = arguments.own;
      }
      const Tiling tiling(p, source.width, rows);
      if (tiling.pixels != configured) {
        Unit::configure(tiles_of(tiling.pixels));
        configured = tiling.pixels;
      }
      const auto* start =
          packed.correction(p.out_h() / 2, p.out_w() / 2, round_up(p.out, kBlock)) + panel * kPanelOutputs;
      const Task task = {.image = n, .y = y, .panel = panel, .weights = weights, .start = start};
      int64_t tile = 0;
      for (; tile + 2 <= tiling.tiles; tile += 2) block<2>(all, task, source, offsets, tiling, tile);
      if (tile < tiling.tiles) block<1>(all, task, source, offsets, tiling, tile);
    }
    if (configured != 0) Unit::release();
  }
};

// Nanoseconds, from whole layers: 16384 MACs of a tile at 2.4 T MAC/s, what an output costs, and weights that come from
// L2 or have to be unpacked.
inline double cost(const Problem& p) {
  constexpr double kRun = 300, kTileStep = 16384 / 2400.0, kOutput = 0.1, kWeight = 0.015, kPackedWeight = 0.03;
  const auto layout = layout_of(p);
  const auto blocks = blocks_of(p, layout);
  const Tiling tiling(p, p.w + 2 * p.pad, blocks.most_rows);
  const double tiles = static_cast<double>(p.n * p.out_h() * tiling.tiles) / static_cast<double>(blocks.most_rows);
  const auto products = layout.steps * (layout.output_tiles + (layout.summed ? layout.panels : 0));
  const auto outputs = p.n * p.out_h() * p.out_w() * layout.output_tiles * kTileOutputs;
  return kRun + kTileStep * tiles * static_cast<double>(products) + kOutput * static_cast<double>(outputs) +
         (layout.packed ? kPackedWeight : kWeight) * static_cast<double>(p.out * p.taps());
}

template <typename Unit>
constexpr Kernel tile_kernel(const char* name, const char* idea, bool (*runs_on)(const Isa&)) {
  return {
      .name = name,
      .idea = idea,
      .runs_on = runs_on,
      .supports = [](const Problem&) { return true; },
      .cost = cost,
      .multiplied = multiplied_by,
      .body_bytes = body_bytes,
      .pack = pack,
      .shared_bytes = [](const Problem&) { return size_t{0}; },
      .own_bytes = [](const Problem& p) { return static_cast<size_t>(own_of(p).bytes()); },
      .phases = [](const Problem&) { return 1; },
      .tasks =
          [](const Problem& p, int) {
            const auto layout = layout_of(p);
            return p.n * blocks_of(p, layout).count * layout.panels;
          },
      .run = TileConvolution<Unit>::run,
  };
}

}  // namespace
}  // namespace auxbench::lowbit_conv
