#include "datasets/image/resize.h"
#include "datasets/image/resize_passes.h"

#include "base/error.h"
#include "base/files/sha256.h"
#include "datasets/image/transforms.h"
#include "tests/datasets/rasters.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

// A picture that anybody can make again: (7 x + 13 y + 61 c + x y) mod 256.
Raster picture(int64_t width, int64_t height) {
  Raster raster(width, height);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < 3; ++c) raster.row(y)[x * 3 + c] = static_cast<uint8_t>(x * 7 + y * 13 + c * 61 + x * y);
  return raster;
}

Raster seen(const PhotoTransform& transform, const Raster& photograph, RandomStream& stream) {
  return resize_part(photograph, whole_of(photograph),
                     transform.view(photograph.width, photograph.height, "a photograph", stream));
}

std::string digest(const Raster& raster) {
  return sha256_hex({reinterpret_cast<const char*>(raster.rgb.data()), raster.rgb.size()}).substr(0, 16);
}

}  // namespace

TEST_CASE("resizing gives Pillow's bytes, smaller and larger, one side and both", "[datasets]") {
  struct Case {
    int64_t width, height, to_width, to_height;
    const char* digest;  // of Pillow 12's result
  };
  for (const auto& test : {Case{37, 23, 16, 16, "d451966a0e402e4d"}, Case{37, 23, 64, 50, "6e65b28bcfd1f38f"},
                           Case{5, 4, 5, 9, "e1ac7bcbccc12f6b"}, Case{300, 200, 30, 200, "2478d933881494d1"},
                           Case{23, 37, 16, 16, "139c612c00c5a272"}, Case{1, 1, 3, 2, "ee1f808edd47885b"},
                           Case{97, 61, 31, 17, "00b700dc41309f33"}}) {
    INFO(test.width << " x " << test.height << " -> " << test.to_width << " x " << test.to_height);
    const auto resized = resize(picture(test.width, test.height), test.to_width, test.to_height);
    CHECK(resized.width == test.to_width);
    CHECK(resized.height == test.to_height);
    CHECK(digest(resized) == test.digest);
  }
  CHECK(resize(picture(6, 5), 6, 5).rgb == picture(6, 5).rgb);
}

TEST_CASE("transforms have their sizes, and chance only where their name says so", "[datasets]") {
  const auto photograph = picture(500, 375);
  for (const auto& transform : photo_transforms()) {
    INFO(transform.name);
    RandomStream first(1), again(1), other(2);
    const auto once = seen(transform, photograph, first);
    const bool coco = transform.name.starts_with("coco");
    CHECK(once.width == (coco ? 1067 : 224));
    CHECK(once.height == (coco ? 800 : 224));
    CHECK(seen(transform, photograph, again).rgb == once.rgb);
    const bool random = transform.name.find("train") != std::string_view::npos;
    CHECK((seen(transform, photograph, other).rgb == once.rgb) == !random);
  }
  CHECK_THROWS_AS(find_photo_transform("imagenet"), UserError);
}

TEST_CASE("COCO's long side ends at 1333, a strip is refused rather than blown up", "[datasets]") {
  RandomStream stream(1);
  const auto wide = seen(find_photo_transform("coco-eval"), picture(1000, 200), stream);
  CHECK(wide.width == 1333);
  CHECK(wide.height == 267);
  CHECK_THROWS_WITH(seen(find_photo_transform("imagenet-eval"), picture(1, 1001), stream),
                    "a photograph: a strip of 1 x 1001 pixels: longer than 1000 times its width");
  CHECK(seen(find_photo_transform("coco-eval"), picture(1, 3000), stream).width == 1);
}

TEST_CASE("pixels are normalised as torchvision does, in both layouts", "[datasets]") {
  const auto raster = picture(3, 2);
  std::vector<float> planes(18), pixels(18);
  write_normalised(raster, planes);
  write_normalised(raster, pixels, /*channels_last=*/true);
  for (size_t c = 0; c < 3; ++c)
    for (size_t i = 0; i < 6; ++i) CHECK(planes[c * 6 + i] == pixels[i * 3 + c]);
  CHECK(planes[0] == (0.0F - 0.485F) / 0.229F);
  CHECK(planes[6] == (61.0F / 255.0F - 0.456F) / 0.224F);
}

TEST_CASE("the AVX2 passes give the plain ones' bytes, and a part is a part of the whole", "[datasets]") {
  RandomStream random(1);
  const auto draw = [&random](int64_t most) {
    return 1 + static_cast<int64_t>(random.below(static_cast<uint64_t>(most)));
  };
  for (int i = 0; i < 200; ++i) {
    Raster raster(draw(70), draw(70));
    for (auto& byte : raster.rgb) byte = static_cast<uint8_t>(random.below(2) == 0 ? 255 : random.below(256));
    const auto width = draw(90), height = draw(90);
    const auto from = test::draw_box(raster.width, raster.height, random), part = test::draw_box(width, height, random);
    Resizing all = {.from = from, .width = width, .height = height, .part = {.width = width, .height = height}};
    const auto whole = resize_with(kPlainPasses, raster, whole_of(raster), all);
    all.part = part;
    const auto plain = resize_with(kPlainPasses, raster, whole_of(raster), all);
    CHECK(plain.rgb == test::box_of(whole, part).rgb);
    // Nothing else is looked at.
    const auto needed = pixels_needed(all);
    CHECK(resize_with(kPlainPasses, test::box_of(raster, needed), needed, all).rgb == plain.rgb);
    if (avx2_passes() != nullptr) {
      CHECK(resize_with(*avx2_passes(), raster, whole_of(raster), all).rgb == plain.rgb);
      CHECK(resize_with(*avx2_passes(), test::box_of(raster, needed), needed, all).rgb == plain.rgb);
    }
    all.mirrored = true;
    const auto mirrored = resize_part(raster, whole_of(raster), all);
    bool equal = true;
    for (int64_t y = 0; y < part.height; ++y)
      for (int64_t x = 0; x < part.width; ++x)
        equal = equal && std::equal(mirrored.row(y) + x * 3, mirrored.row(y) + x * 3 + 3,
                                    plain.row(y) + (part.width - 1 - x) * 3);
    CHECK(equal);
  }
}
