#include "datasets/image/augment.h"

#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "base/error.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

// Each byte as itself: what is written can be read as pixels.
Levels bytes_as_floats() {
  Levels levels{};
  for (size_t i = 0; i < levels.size(); ++i) levels[i] = static_cast<float>(i);
  return levels;
}

std::vector<float> warped(const std::vector<uint8_t>& plane, int64_t height, int64_t width, const Warp& warp) {
  std::vector<float> out(plane.size(), -1);
  write_plane(plane, height, width, warp, bytes_as_floats(), out);
  return out;
}

std::vector<uint8_t> counting_plane(size_t size) {
  std::vector<uint8_t> plane;
  for (size_t i = 0; i < size; ++i) plane.push_back(static_cast<uint8_t>(10 + 10 * i));
  return plane;
}

Warp whole(int64_t height, int64_t width) {
  Warp warp;
  warp.height = height;
  warp.width = width;
  return warp;
}

}  // namespace

TEST_CASE("an image without augmentation is the table's values", "[datasets]") {
  CHECK(warped({10, 20, 30, 40, 50, 60}, 2, 3, whole(2, 3)) == std::vector<float>{10, 20, 30, 40, 50, 60});
}

TEST_CASE("normalisation is (p / 255 - mean) / std", "[datasets]") {
  const auto levels = normalisation_levels(0.25F, 0.5F);
  CHECK(levels[0] == -0.5F);
  CHECK(levels[255] == 1.5F);
  CHECK(levels[51] == Approx(-0.1).margin(1e-6));
}

TEST_CASE("a mirrored image has its columns reversed", "[datasets]") {
  auto warp = whole(2, 3);
  warp.mirrored = true;
  CHECK(warped({10, 20, 30, 40, 50, 60}, 2, 3, warp) == std::vector<float>{30, 20, 10, 60, 50, 40});
}

TEST_CASE("a shifted image shows black where it has moved away, and is shifted before it is mirrored", "[datasets]") {
  auto warp = whole(2, 3);
  warp.shift_y = 1;
  warp.shift_x = -1;
  CHECK(warped({10, 20, 30, 40, 50, 60}, 2, 3, warp) == std::vector<float>{0, 40, 50, 0, 0, 0});
  warp.mirrored = true;
  CHECK(warped({10, 20, 30, 40, 50, 60}, 2, 3, warp) == std::vector<float>{50, 40, 0, 0, 0, 0});
  warp.shift_x = 3;
  CHECK(warped({10, 20, 30, 40, 50, 60}, 2, 3, warp) == std::vector<float>(6, 0));
}

TEST_CASE("a box is enlarged bilinearly with half-pixel centres", "[datasets]") {
  auto warp = whole(1, 2);
  warp.left = 1;
  CHECK(warped({10, 20, 30, 40}, 1, 4, warp) == std::vector<float>{20, 22.5F, 27.5F, 30});
  warp = whole(2, 1);
  warp.top = 2;
  CHECK(warped({10, 20, 30, 40}, 4, 1, warp) == std::vector<float>{30, 32.5F, 37.5F, 40});
}

TEST_CASE("an enlarged box agrees with torch's bilinear interpolation", "[datasets]") {
  // interpolate((10 + 10 * arange(16).reshape(4, 4))[1:4, 0:3], size=(4, 4), mode="bilinear", align_corners=False)
  auto warp = whole(3, 3);
  warp.top = 1;
  const std::vector<float> wanted = {50,  56.25F,  63.75F,  70,  75,  81.25F,  88.75F,  95,
                                     105, 111.25F, 118.75F, 125, 130, 136.25F, 143.75F, 150};
  const auto found = warped(counting_plane(16), 4, 4, warp);
  for (size_t i = 0; i < wanted.size(); ++i) CHECK(std::abs(found[i] - wanted[i]) < 1e-4F);
}

TEST_CASE("enlarging, shifting and mirroring at once is one after the other", "[datasets]") {
  auto warp = whole(2, 3);
  warp.top = 1;
  const auto enlarged = warped(counting_plane(16), 4, 4, warp);
  warp.shift_y = -1;
  warp.shift_x = 1;
  warp.mirrored = true;
  const auto found = warped(counting_plane(16), 4, 4, warp);
  for (size_t y = 0; y < 4; ++y)
    for (size_t x = 0; x < 4; ++x) {
      const size_t column = 3 - x + 1;  // of the enlarged image, before mirroring and shifting
      CHECK(found[y * 4 + x] == (y < 1 || column > 3 ? 0.0F : enlarged[(y - 1) * 4 + column]));
    }
}

TEST_CASE("resized crops keep to the area and the ratio, up to rounding, and reach every edge", "[datasets]") {
  const Augmentation crop = {.random_resized_crop = true};
  RandomStream stream(1);
  double least_area = 1, most_area = 0;
  bool left = false, right = false, top = false, bottom = false;
  for (int i = 0; i < 5000; ++i) {
    const auto warp = draw_warp(crop, 28, 28, stream);
    REQUIRE((warp.top >= 0 && warp.left >= 0 && warp.top + warp.height <= 28 && warp.left + warp.width <= 28));
    const auto height = static_cast<double>(warp.height), width = static_cast<double>(warp.width);
    CHECK((width + 0.5) / (height - 0.5) >= 3.0 / 4);
    CHECK((width - 0.5) / (height + 0.5) <= 4.0 / 3);
    least_area = std::min(least_area, (height + 0.5) * (width + 0.5) / 784);
    most_area = std::max(most_area, height * width / 784);
    left = left || warp.left == 0;
    top = top || warp.top == 0;
    right = right || warp.left + warp.width == 28;
    bottom = bottom || warp.top + warp.height == 28;
    CHECK_FALSE(warp.mirrored);
    CHECK((warp.shift_x == 0 && warp.shift_y == 0));
  }
  CHECK(least_area >= 0.08);
  CHECK(least_area < 0.12);
  CHECK(most_area > 0.95);
  CHECK((left && right && top && bottom));
}

TEST_CASE("an image too narrow for any ratio is cropped in its centre", "[datasets]") {
  RandomStream stream(1);
  const auto wide = draw_warp({.random_resized_crop = true}, 6, 100, stream);
  CHECK(wide.height == 6);
  CHECK(wide.width == 8);
  CHECK(wide.left == 46);
  const auto tall = draw_warp({.random_resized_crop = true}, 100, 6, stream);
  CHECK(tall.height == 8);
  CHECK(tall.width == 6);
  CHECK(tall.top == 46);
}

TEST_CASE("a padded crop moves by up to an eighth of the height either way", "[datasets]") {
  for (const auto& [height, pad] : {std::pair<int64_t, int64_t>{28, 3}, {32, 4}, {4, 1}}) {
    RandomStream stream(2);
    std::set<int64_t> down, across;
    for (int i = 0; i < 1000; ++i) {
      const auto warp = draw_warp({.pad_crop = true}, height, height, stream);
      down.insert(warp.shift_y);
      across.insert(warp.shift_x);
      CHECK((warp.height == height && warp.width == height));
    }
    for (const auto& seen : {down, across}) {
      CHECK(seen.size() == static_cast<size_t>(2 * pad + 1));
      CHECK(*seen.begin() == -pad);
      CHECK(*seen.rbegin() == pad);
    }
  }
}

TEST_CASE("half of the images are mirrored", "[datasets]") {
  RandomStream stream(3);
  int mirrored = 0;
  for (int i = 0; i < 10000; ++i) mirrored += draw_warp({.flip = true}, 28, 28, stream).mirrored ? 1 : 0;
  CHECK(std::abs(mirrored - 5000) < 250);
}

TEST_CASE("augmentations are known by name", "[datasets]") {
  const std::vector<std::string> all = {"random-resized-crop", "pad-crop", "flip"};
  const auto parsed = parse_augmentation(all);
  CHECK((parsed.random_resized_crop && parsed.pad_crop && parsed.flip));
  const auto none = parse_augmentation({});
  CHECK_FALSE((none.random_resized_crop || none.pad_crop || none.flip));
  const std::vector<std::string> wrong = {"flipped"};
  CHECK_THROWS_AS(parse_augmentation(wrong), UserError);
}

TEST_CASE("short-side draws Detectron2's six sizes alike, and nothing without it", "[datasets]") {
  std::map<int64_t, int> drawn;
  RandomStream stream(7);
  for (int i = 0; i < 6000; ++i) ++drawn[draw_short_side({.short_side = true}, 800, stream)];
  REQUIRE(drawn.size() == 6);
  for (const int64_t size : {640, 672, 704, 736, 768, 800}) CHECK((drawn[size] > 850 && drawn[size] < 1150));
  CHECK(draw_short_side({.short_side = true}, 1, stream) == 1);
  RandomStream untouched(1), same(1);
  CHECK(draw_short_side({.flip = true}, 96, untouched) == 96);
  CHECK(untouched.next() == same.next());
}
