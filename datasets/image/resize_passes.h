// The two passes of resize.h: a plain one that is the truth, and one in AVX2; the bytes are the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "datasets/image/resize.h"

namespace auxbench {

constexpr int kFilterFraction = 22;  // bits of a weight behind the point: 32 - 8 for the byte - 2 to spare
constexpr int32_t kFilterHalf = 1 << (kFilterFraction - 1);

// What each output position reads: `count` inputs from `first` on, with the weights that begin at `weights`. Weights
// are not negative and add up to 1 but for rounding: a sum may come to 256, and is cut to 255.
struct Window {
  int64_t first, count;
  size_t weights;
};

struct Filter {
  std::vector<Window> windows;
  std::vector<int32_t> weights;
};

// rows    out: as wide as the filter has windows, as high as the box; windows count from the box's left side.
// columns out: as wide as in, as high as the filter has windows; windows count from in's first row.
struct ResizePasses {
  void (*rows)(const Raster& in, const Box& box, const Filter& filter, Raster& out);
  void (*columns)(const Raster& in, const Filter& filter, Raster& out);
};

extern const ResizePasses kPlainPasses;
const ResizePasses* avx2_passes();  // null where this processor has no AVX2

// resize_part of resize.h by these passes.
Raster resize_with(const ResizePasses& passes, const Raster& pixels, const Box& at, const Resizing& resizing);

}  // namespace auxbench
