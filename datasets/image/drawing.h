// Frames, areas and short texts on a picture. Coordinates are pixels from the upper left corner; what lies outside the
// picture is cut off.
#pragma once

#include <cstdint>
#include <string_view>

#include "datasets/image/raster.h"

namespace auxbench {

struct Colour {
  uint8_t red = 0, green = 0, blue = 0;
  bool operator==(const Colour&) const = default;
};

// A picture of one colour.
Raster ground(int64_t width, int64_t height, const Colour& colour);

void fill(const Box& area, const Colour& colour, Raster& picture);

// The outermost `thickness` pixels of the area; all of it where that is more than half of a side.
void draw_frame(const Box& area, int64_t thickness, const Colour& colour, Raster& picture);

// `part` with its upper left corner at (left, top).
void paste(const Raster& part, int64_t left, int64_t top, Raster& picture);

// A character takes kCharacterWidth x kCharacterHeight pixels, blank ones at its right and below it included, times
// `scale`. Letters are those of ASCII; any other character of UTF-8, and any byte that is none, is a question mark.
inline constexpr int64_t kCharacterWidth = 6, kCharacterHeight = 9;
int64_t text_width(std::string_view text, int64_t scale);
void write_text(std::string_view text, int64_t left, int64_t top, int64_t scale, const Colour& colour, Raster& picture);

}  // namespace auxbench
