#include "datasets/image/drawing.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"

namespace auxbench {
namespace {

constexpr char kFirst = ' ', kLast = '~';
constexpr size_t kColumns = kCharacterWidth - 1, kRows = 8;
constexpr std::array<uint8_t, kColumns> kLetters[] = {
#include "datasets/image/letters.inc"
};
static_assert(std::size(kLetters) == kLast - kFirst + 1);

Box within(const Box& area, const Raster& picture) {
  const int64_t left = std::clamp<int64_t>(area.left, 0, picture.width),
                top = std::clamp<int64_t>(area.top, 0, picture.height);
  return {.left = left,
          .top = top,
          .width = std::clamp<int64_t>(area.left + area.width, left, picture.width) - left,
          .height = std::clamp<int64_t>(area.top + area.height, top, picture.height) - top};
}

// What follows the first character, which is told as an index into kLetters.
std::string_view take_character(std::string_view text, size_t& letter) {
  const auto bytes = std::max<size_t>(1, utf8_bytes(text));
  const char c = bytes == 1 && text.front() >= kFirst && text.front() <= kLast ? text.front() : '?';
  letter = static_cast<size_t>(c - kFirst);
  return text.substr(bytes);
}

}  // namespace

Raster ground(int64_t width, int64_t height, const Colour& colour) {
  Raster picture(width, height);
  fill(whole_of(picture), colour, picture);
  return picture;
}

void fill(const Box& area, const Colour& colour, Raster& picture) {
  const auto inside = within(area, picture);
  for (int64_t y = inside.top; y < inside.top + inside.height; ++y) {
    auto* pixel = picture.row(y) + static_cast<size_t>(inside.left) * kColours;
    for (int64_t x = 0; x < inside.width; ++x) {
      *pixel++ = colour.red;
      *pixel++ = colour.green;
      *pixel++ = colour.blue;
    }
  }
}

void draw_frame(const Box& area, int64_t thickness, const Colour& colour, Raster& picture) {
  const int64_t across = std::min(thickness, area.width), down = std::min(thickness, area.height);
  fill({.left = area.left, .top = area.top, .width = area.width, .height = down}, colour, picture);
  fill({.left = area.left, .top = area.top + area.height - down, .width = area.width, .height = down}, colour, picture);
  fill({.left = area.left, .top = area.top, .width = across, .height = area.height}, colour, picture);
  fill({.left = area.left + area.width - across, .top = area.top, .width = across, .height = area.height}, colour,
       picture);
}

void paste(const Raster& part, int64_t left, int64_t top, Raster& picture) {
  const auto inside = within({.left = left, .top = top, .width = part.width, .height = part.height}, picture);
  for (int64_t y = inside.top; inside.width > 0 && y < inside.top + inside.height; ++y)
    std::memcpy(picture.row(y) + static_cast<size_t>(inside.left) * kColours,
                part.row(y - top) + static_cast<size_t>(inside.left - left) * kColours,
                static_cast<size_t>(inside.width) * kColours);
}

int64_t text_width(std::string_view text, int64_t scale) {
  int64_t characters = 0;
  for (size_t letter = 0; !text.empty(); ++characters) text = take_character(text, letter);
  return characters * kCharacterWidth * scale;
}

void write_text(std::string_view text, int64_t left, int64_t top, int64_t scale, const Colour& colour,
                Raster& picture) {
  for (size_t letter = 0; !text.empty(); left += kCharacterWidth * scale) {
    text = take_character(text, letter);
    for (size_t column = 0; column < kColumns; ++column)
      for (size_t row = 0; row < kRows; ++row)
        if ((static_cast<size_t>(kLetters[letter][column]) >> row & 1U) != 0)
          fill({.left = left + static_cast<int64_t>(column) * scale,
                .top = top + static_cast<int64_t>(row) * scale,
                .width = scale,
                .height = scale},
               colour, picture);
  }
}

}  // namespace auxbench
