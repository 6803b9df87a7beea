// One decoded photograph: red, green, blue bytes, row by row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace auxbench {

inline constexpr size_t kColours = 3;

struct Raster {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> rgb;  // height x width x 3

  Raster() = default;
  Raster(int64_t w, int64_t h) : width(w), height(h), rgb(static_cast<size_t>(w * h) * kColours) {}
  [[nodiscard]] const uint8_t* row(int64_t y) const { return rgb.data() + static_cast<size_t>(y * width) * kColours; }
  [[nodiscard]] uint8_t* row(int64_t y) { return rgb.data() + static_cast<size_t>(y * width) * kColours; }
};

}  // namespace auxbench
