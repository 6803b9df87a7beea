#include "datasets/image/resize_passes.h"

#include <algorithm>

namespace auxbench {
namespace {

uint8_t byte_of(int32_t sum) { return static_cast<uint8_t>(std::min(sum >> kFilterFraction, 255)); }

void filter_rows(const Raster& in, const Box& box, const Filter& filter, Raster& out) {
  for (int64_t y = 0; y < box.height; ++y) {
    const uint8_t* from = in.row(box.top + y) + static_cast<size_t>(box.left) * kColours;
    uint8_t* to = out.row(y);
    for (const auto& window : filter.windows) {
      const uint8_t* pixels = from + static_cast<size_t>(window.first) * kColours;
      for (size_t c = 0; c < kColours; ++c) {
        int32_t sum = kFilterHalf;
        for (size_t i = 0; i < static_cast<size_t>(window.count); ++i)
          sum += pixels[i * kColours + c] * filter.weights[window.weights + i];
        *to++ = byte_of(sum);
      }
    }
  }
}

void filter_columns(const Raster& in, const Filter& filter, Raster& out) {
  const size_t bytes = static_cast<size_t>(in.width) * kColours;
  for (size_t y = 0; y < filter.windows.size(); ++y) {
    const auto& window = filter.windows[y];
    const uint8_t* from = in.row(window.first);
    for (size_t b = 0; b < bytes; ++b) {
      int32_t sum = kFilterHalf;
      for (size_t i = 0; i < static_cast<size_t>(window.count); ++i)
        sum += from[i * bytes + b] * filter.weights[window.weights + i];
      out.row(static_cast<int64_t>(y))[b] = byte_of(sum);
    }
  }
}

}  // namespace

const ResizePasses kPlainPasses = {.rows = filter_rows, .columns = filter_columns};

}  // namespace auxbench
