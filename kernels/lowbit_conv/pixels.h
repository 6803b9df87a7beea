// Shared by the kernels that first convert the input map, padding included, into a layout of their own with a fixed
// number of memory units a pixel (bit_serial.cc, lookup.cc). For those units only: all of it has internal linkage.
//
// A task's output pixels are numbered through, over the ends of rows: narrow maps leave no tails.
#pragma once

#include "kernels/lowbit_conv/kernel.h"

namespace auxbench::lowbit_conv {
namespace {

int64_t smaller_of(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t ceil_div(int64_t value, int64_t by) { return (value + by - 1) / by; }

// Rows first .. last of the outputs of image n, each of `columns` pixels.
struct Rows {
  int64_t n, first, last, columns;

  [[nodiscard]] int64_t pixels() const { return (last - first) * columns; }
};

// Arrays with one entry for each pixel of a task, in the workspace `own`.
struct Pixels {
  int32_t* sums;         // of the codes of all taps, times a factor
  int32_t* corrections;  // offset of the class' row
  int32_t* at;           // offset of the first tap, in units, from the first pixel's

  Pixels(std::byte* own, int64_t count)
      : sums(reinterpret_cast<int32_t*>(own)), corrections(sums + count), at(corrections + count) {}
};
int64_t pixels_bytes(int64_t count) { return count * 3 * 4; }

// The input map as sums of codes, one number a pixel, from the first tap of the task's first pixel on.
struct Map {
  const int32_t* sums;
  int64_t columns, pixel;  // pixels of a row, units of a pixel
};

void locate(const Problem& p, const Rows& rows, const Map& map, int32_t factor, const Packed& packed,
            const Pixels& pixels) {
  const auto padded = static_cast<int32_t>(ceil_div(p.out, kBlock) * kBlock);
  const auto step = static_cast<int32_t>(p.stride * map.pixel);
  for (int64_t y = rows.first; y < rows.last; ++y) {
    const int64_t done = (y - rows.first) * rows.columns;
    int32_t *sums = pixels.sums + done, *corrections = pixels.corrections + done, *at = pixels.at + done;
    const auto classes = static_cast<int32_t>(packed.row_class[y] * packed.column_classes);
    const auto row = static_cast<int32_t>((y - rows.first) * map.columns) * step;
    for (int64_t x = 0; x < rows.columns; ++x) {
      sums[x] = 0;
      corrections[x] = (classes + packed.column_class[x]) * padded;
      at[x] = row + static_cast<int32_t>(x) * step;
    }
    if (factor == 0) continue;
    for (int64_t r = 0; r < p.r; ++r)
      for (int64_t s = 0; s < p.s; ++s) {
        const int32_t* from = map.sums + ((y - rows.first) * p.stride + r) * map.columns + s;
        if (p.stride == 1)
          for (int64_t x = 0; x < rows.columns; ++x) sums[x] += from[x];
        else
          for (int64_t x = 0; x < rows.columns; ++x) sums[x] += from[x * p.stride];
      }
    if (factor != 1)
      for (int64_t x = 0; x < rows.columns; ++x) sums[x] *= factor;
  }
}

// Hands over the task's pixels first .. last, in pieces that lie in one row each. `tile` names the channels and begins
// at pixel `first`.
void hand_over(const Rows& rows, int64_t first, int64_t last, requantize::Tile tile, const Arguments& arguments) {
  while (first < last) {
    const int64_t y = first / rows.columns, end = smaller_of(last, (y + 1) * rows.columns);
    tile.image = rows.n;
    tile.y = rows.first + y;
    tile.x = first - y * rows.columns;
    tile.pixels = end - first;
    arguments.sink(*arguments.epilogue, tile);
    tile.acc += tile.pixels * tile.stride;
    first = end;
  }
}

}  // namespace
}  // namespace auxbench::lowbit_conv
