// Parts of pictures.
#pragma once

#include <algorithm>

#include "base/random.h"
#include "datasets/image/raster.h"

namespace auxbench::test {

inline Raster box_of(const Raster& raster, const Box& box) {
  Raster part(box.width, box.height);
  for (int64_t y = 0; y < box.height; ++y)
    std::copy_n(raster.row(box.top + y) + box.left * 3, box.width * 3, part.row(y));
  return part;
}

// Whether the part has `wanted` of the whole, to the byte.
inline bool shows(const PhotoPart& part, const Box& wanted, const Raster& whole) {
  const Box inner = {.left = wanted.left - part.box.left,
                     .top = wanted.top - part.box.top,
                     .width = wanted.width,
                     .height = wanted.height};
  return inner.left >= 0 && inner.top >= 0 && inner.left + inner.width <= part.pixels.width &&
         inner.top + inner.height <= part.pixels.height && part.pixels.width == part.box.width &&
         part.pixels.height == part.box.height && box_of(part.pixels, inner).rgb == box_of(whole, wanted).rgb;
}

// Any box of a picture of this size.
inline Box draw_box(int64_t width, int64_t height, RandomStream& random) {
  const auto below = [&random](int64_t most) {
    return static_cast<int64_t>(random.below(static_cast<uint64_t>(most)));
  };
  Box box = {.left = below(width), .top = below(height)};
  box.width = 1 + below(width - box.left);
  box.height = 1 + below(height - box.top);
  return box;
}

}  // namespace auxbench::test
