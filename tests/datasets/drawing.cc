// PNG that is written, and what is drawn on a picture.
#include "datasets/image/drawing.h"

#include "base/check.h"
#include "base/random.h"
#include "datasets/image/decode.h"
#include "datasets/image/encode_png.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

constexpr Colour kBlack = {0, 0, 0}, kRed = {255, 0, 0}, kBlue = {0, 0, 255};

Raster noise(int64_t width, int64_t height) {
  Raster raster(width, height);
  RandomStream stream(static_cast<uint64_t>(width * 1000 + height));
  for (auto& byte : raster.rgb) byte = static_cast<uint8_t>(stream.below(256));
  return raster;
}

Colour at(const Raster& picture, int64_t x, int64_t y) {
  const auto* pixel = picture.row(y) + x * 3;
  return {pixel[0], pixel[1], pixel[2]};
}

int64_t count(const Raster& picture, const Colour& colour) {
  int64_t found = 0;
  for (int64_t y = 0; y < picture.height; ++y)
    for (int64_t x = 0; x < picture.width; ++x) found += at(picture, x, y) == colour ? 1 : 0;
  return found;
}

}  // namespace

TEST_CASE("a picture written as PNG is read back to the byte", "[datasets]") {
  for (const auto& [width, height] : {std::pair<int64_t, int64_t>{1, 1}, {1, 300}, {300, 1}, {37, 23}, {640, 481}}) {
    const auto picture = noise(width, height);
    const auto png = encode_png(picture);
    const auto read = decode_image(png, "here");
    CHECK((read.width == width && read.height == height));
    CHECK(read.rgb == picture.rgb);
    CHECK(encode_png(picture) == png);
  }
  CHECK_THROWS_AS(encode_png(Raster()), LogicFault);
}

TEST_CASE("an area is filled as far as it lies within the picture", "[datasets]") {
  auto picture = ground(10, 8, kBlack);
  CHECK(count(picture, kBlack) == 80);
  fill({.left = 2, .top = 3, .width = 4, .height = 2}, kRed, picture);
  CHECK(count(picture, kRed) == 8);
  CHECK((at(picture, 2, 3) == kRed && at(picture, 5, 4) == kRed && at(picture, 6, 4) == kBlack));
  fill({.left = -5, .top = -5, .width = 6, .height = 6}, kBlue, picture);
  CHECK(count(picture, kBlue) == 1);
  fill({.left = 9, .top = 7, .width = 100, .height = 100}, kBlue, picture);
  CHECK(count(picture, kBlue) == 2);
  for (const Box& outside :
       {Box{.left = 10, .top = 0, .width = 5, .height = 5}, Box{.left = 0, .top = -9, .width = 5, .height = 9},
        Box{.left = -9, .top = 0, .width = 5, .height = 5}, Box{.left = 3, .top = 3}})
    fill(outside, kBlue, picture);
  CHECK(count(picture, kBlue) == 2);
}

TEST_CASE("a frame is the outermost pixels of its area, and all of a small one", "[datasets]") {
  auto picture = ground(20, 20, kBlack);
  draw_frame({.left = 2, .top = 3, .width = 10, .height = 6}, 2, kRed, picture);
  CHECK(count(picture, kRed) == 10 * 6 - 6 * 2);
  CHECK((at(picture, 2, 3) == kRed && at(picture, 3, 4) == kRed && at(picture, 4, 5) == kBlack));
  CHECK((at(picture, 11, 8) == kRed && at(picture, 12, 8) == kBlack && at(picture, 11, 9) == kBlack));
  draw_frame({.left = 15, .top = 15, .width = 3, .height = 1}, 2, kBlue, picture);
  CHECK(count(picture, kBlue) == 3);
  draw_frame({.left = 0, .top = 0, .width = 0, .height = 5}, 2, kBlue, picture);
  CHECK(count(picture, kBlue) == 3);
}

TEST_CASE("a part is pasted where it is told, and cut off at each side", "[datasets]") {
  const auto part = noise(6, 5);
  for (const int64_t left : {-9, -2, 0, 3, 17, 30})
    for (const int64_t top : {-9, -2, 0, 3, 13, 30}) {
      auto picture = ground(20, 16, kBlack), wanted = picture;
      paste(part, left, top, picture);
      for (int64_t y = 0; y < part.height; ++y)
        for (int64_t x = 0; x < part.width; ++x)
          fill({.left = left + x, .top = top + y, .width = 1, .height = 1}, at(part, x, y), wanted);
      CHECK(picture.rgb == wanted.rgb);
    }
}

TEST_CASE("letters differ from one another, and what is not ASCII is a question mark", "[datasets]") {
  const auto written = [](std::string_view text, int64_t scale = 1) {
    auto picture = ground(text_width(text, scale), kCharacterHeight * scale, kBlack);
    write_text(text, 0, 0, scale, kRed, picture);
    return picture;
  };
  std::vector<Raster> letters;
  for (char c = ' '; c <= '~'; ++c) {
    letters.push_back(written(std::string(1, c)));
    CHECK((count(letters.back(), kRed) > 0) == (c != ' '));
    for (size_t i = 0; i + 1 < letters.size(); ++i) CHECK(letters[i].rgb != letters.back().rgb);
    // A blank column at its right and a blank line below it.
    for (int64_t i = 0; i < kCharacterHeight; ++i) CHECK(at(letters.back(), kCharacterWidth - 1, i) == kBlack);
    for (int64_t i = 0; i < kCharacterWidth; ++i) CHECK(at(letters.back(), i, kCharacterHeight - 1) == kBlack);
  }
  CHECK(text_width("abc", 2) == 36);
  CHECK(text_width("", 2) == 0);
  const auto mark = written("?");
  for (const auto* odd : {"\xc3\xa4", "\xe2\x82\xac", "\xff", "\x01", "\n"}) CHECK(written(odd).rgb == mark.rgb);
  CHECK(count(written("Ag", 3), kRed) == 9 * count(written("Ag"), kRed));
  // An "L": its stem is the first column, its foot the seventh line.
  const auto letter = written("L");
  for (int64_t y = 0; y < 7; ++y) CHECK(at(letter, 0, y) == kRed);
  for (int64_t x = 0; x < 5; ++x) CHECK(at(letter, x, 6) == kRed);
  CHECK(count(letter, kRed) == 11);
}
