// Sheets of thumbnails: written, and read back.
#include "datasets/thumbnails.h"

#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "datasets/sources/memory_images.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

// Each image has one colour of its own, or noise, which no JPEG makes small.
Images images_of(int64_t count, int64_t side, int64_t channels, bool noise = false) {
  ImageSet set;
  set.count = count;
  set.height = set.width = side;
  set.channels = channels;
  set.classes = 10;
  RandomStream stream(1);
  for (int64_t i = 0; i < count; ++i) {
    set.labels.push_back(i % 10);
    for (int64_t k = 0; k < channels * side * side; ++k)
      set.pixels.push_back(static_cast<uint8_t>(noise ? stream.below(256) : 7 * static_cast<uint64_t>(i) % 256));
  }
  return memory_images(std::move(set), 0.5F, 0.25F);
}

}  // namespace

TEST_CASE("thumbnails come back from their sheet, in the order of the images", "[datasets]") {
  const auto images = images_of(70, 28, 1);
  const auto sheet = read_thumbnails(make_thumbnails(images, 2), "here");
  REQUIRE(sheet.count == 70);
  CHECK(sheet.images == 70);
  CHECK(sheet.width == 28);
  CHECK(sheet.height == 28);
  for (int64_t i = 0; i < sheet.count; ++i) {
    const auto tile = sheet.tile(i);
    const auto value = static_cast<int>(tile.row(14)[3 * 14]);
    CHECK(std::abs(value - static_cast<int>(7 * i % 256)) <= 6);  // what JPEG leaves of a flat tile's middle
  }
}

TEST_CASE("a sheet takes no more than it may, whatever is on it", "[datasets]") {
  const auto noise = images_of(2000, kThumbnailSide, 3, true);  // not reduced: nothing evens it out
  const auto bytes = make_thumbnails(noise, 1);
  CHECK(bytes.size() <= kThumbnailBytes);
  const auto sheet = read_thumbnails(bytes, "here");
  CHECK(sheet.count < kMostThumbnails);
  CHECK(sheet.images == 2000);
  CHECK(sheet.width == kThumbnailSide);
  CHECK(make_thumbnails(noise, 3) == bytes);
  CHECK(read_thumbnails(make_thumbnails(images_of(2000, 28, 1), 1), "here").count == kMostThumbnails);
}

TEST_CASE("what is no sheet of thumbnails is refused", "[datasets]") {
  const auto good = make_thumbnails(images_of(3, 8, 1), 1);
  CHECK_THROWS_WITH(read_thumbnails("", "here"), contains_text("here: no sheet of thumbnails"));
  for (const size_t cut : {size_t{10}, size_t{200}, good.size() / 2, good.size() - 2})
    CHECK_THROWS_AS(read_thumbnails(good.substr(0, cut), "here"), UserError);
  const auto altered = [&](const std::string& from, const std::string& to) {
    auto bytes = good;
    bytes.replace(bytes.find(from), from.size(), to);
    return bytes;
  };
  CHECK_THROWS_WITH(read_thumbnails(altered("3 of 3", "0 of 3"), "here"), contains_text("its comment cannot be"));
  CHECK_THROWS_WITH(read_thumbnails(altered("3 of 3", "9 of 3"), "here"), contains_text("its comment cannot be"));
  CHECK_THROWS_WITH(read_thumbnails(altered("8 x 8", "9 x 8"), "here"), contains_text("not of the size"));
}
