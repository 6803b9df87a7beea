// COCO's images with their boxes as a source: what is resized, mirrored, dropped, kept and refused.
#include "datasets/sources/coco_images.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "base/error.h"
#include "datasets/dataset.h"
#include "datasets/image/decode.h"
#include "datasets/image/transforms.h"
#include "tests/datasets/coco_tree.h"
#include "tests/support/catch.h"
#include "tests/support/variable.h"

using namespace auxbench;
using test::CocoTree;

namespace {

constexpr int64_t kSize = 32;

Images images_of(const CocoTree& tree, bool training, int64_t kept_bytes = kKeptBytes, int64_t size = kSize) {
  return coco_images(read_coco_split(tree.root(), training ? kCocoTrain : kCocoVal),
                     {.size = size, .training = training, .kept_bytes = kept_bytes});
}

BoxedImage plain_look(const Images& images, size_t index) {
  RandomStream no_chance(0);
  return images->look(index, {}, no_chance);
}

std::vector<float> written(const Images& images, size_t index, const Augmentation& augmentation, uint64_t seed,
                           bool channels_last = false) {
  RandomStream first(seed), second(seed);
  const auto seen = images->look(index, augmentation, first);
  std::vector<float> floats(static_cast<size_t>(3 * seen.width * seen.height));
  images->write(index, augmentation, second, channels_last, floats);
  return floats;
}

std::vector<float> normalised(const Raster& raster, bool channels_last = false) {
  std::vector<float> floats(raster.rgb.size());
  write_normalised(raster, floats, channels_last);
  return floats;
}

Raster mirrored(const Raster& raster) {
  Raster result(raster.width, raster.height);
  for (int64_t y = 0; y < raster.height; ++y)
    for (int64_t x = 0; x < raster.width; ++x)
      std::copy_n(raster.row(y) + 3 * x, 3, result.row(y) + 3 * (raster.width - 1 - x));
  return result;
}

// A seed with which flip mirrors, or does not.
uint64_t seed_that(bool mirrors) {
  for (uint64_t seed = 0;; ++seed)
    if ((RandomStream(seed).below(2) == 1) == mirrors) return seed;
}

}  // namespace

TEST_CASE("an image is the file's, resized as Pillow does it, and normalised", "[datasets]") {
  const CocoTree tree({{60, 40}, {40, 60}, {200, 40}, {1, 1}, {4, 3000}}, {});
  const auto images = images_of(tree, false);
  const std::vector<test::TreePicture> sizes = {{48, 32}, {32, 48}, {53, 11}, {32, 32}, {1, 53}};
  REQUIRE(images->count() == 5);
  for (size_t i = 0; i < sizes.size(); ++i) {
    const auto seen = plain_look(images, i);
    CHECK((seen.width == sizes[i].width && seen.height == sizes[i].height));
    const auto raster = resize(read_image(tree.file(i, kCocoVal)), seen.width, seen.height);
    CHECK(written(images, i, {}, 0) == normalised(raster));
    CHECK(written(images, i, {}, 0, true) == normalised(raster, true));
    CHECK(images->picture(i).rgb == raster.rgb);
  }
  CHECK((plain_look(images, 4).full_width == 4 && plain_look(images, 4).full_height == 3000));
  CHECK(images->shape() == ImageShape{.channels = 3, .height = 64, .width = 64});
}

TEST_CASE("boxes follow their image: scaled, cut off at its edges, mirrored", "[datasets]") {
  const CocoTree tree({{60, 40}}, {{.picture = 0, .category = 7, .box = {10, 5, 20, 10}},
                                   {.picture = 0, .category = 3, .box = {50, 30, 100, 100}},
                                   {.picture = 0, .category = 3, .box = {-5, -5, 1e6, 1e6}}});
  const auto images = images_of(tree, true);
  const std::vector<TruthBox> plain = {{.x0 = 8, .y0 = 4, .x1 = 24, .y1 = 12, .label = 1},
                                       {.x0 = 40, .y0 = 24, .x1 = 48, .y1 = 32, .label = 0},
                                       {.x0 = 0, .y0 = 0, .x1 = 48, .y1 = 32, .label = 0}};
  const std::vector<TruthBox> other_side = {{.x0 = 24, .y0 = 4, .x1 = 40, .y1 = 12, .label = 1},
                                            {.x0 = 0, .y0 = 24, .x1 = 8, .y1 = 32, .label = 0},
                                            {.x0 = 0, .y0 = 0, .x1 = 48, .y1 = 32, .label = 0}};
  CHECK(plain_look(images, 0).boxes == plain);
  const Augmentation flip = {.flip = true};
  const auto raster = resize(read_image(tree.file(0)), 48, 32);
  for (const bool mirrors : {false, true}) {
    const auto seed = seed_that(mirrors);
    RandomStream stream(seed);
    CHECK(images->look(0, flip, stream).boxes == (mirrors ? other_side : plain));
    for (const bool last : {false, true})
      CHECK(written(images, 0, flip, seed, last) == normalised(mirrors ? mirrored(raster) : raster, last));
  }
  CHECK(images->category(0) == 3);
  CHECK(images->category(1) == 7);
  CHECK(images->classes() == 2);
  CHECK_THROWS_AS(images->category(2), LogicFault);
  CHECK_THROWS_AS(images->label(0), LogicFault);
}

TEST_CASE("training drops crowds, boxes without area and images that are left without a box", "[datasets]") {
  const CocoTree tree({{60, 40}, {40, 60}, {50, 50}, {64, 32}, {40, 40}},
                      {{.picture = 3, .box = {1, 2, 3, 4}},
                       {.picture = 3, .box = {1, 2, 30, 20}, .crowd = true},
                       {.picture = 0, .box = {70, 5, 5, 5}},
                       {.picture = 0, .box = {5, 5, 0, 5}},
                       {.picture = 0, .box = {5, 5, 1e-6, 5}},
                       {.picture = 2, .box = {1, 1, 9, 9}, .crowd = true},
                       {.picture = 1, .box = {0, 0, 40, 60}},
                       {.picture = 1, .box = {-9, 0, 9, 60}}});
  const auto split = read_coco_split(tree.root(), kCocoTrain);
  CHECK(count_for_training(split) == 2);
  const auto train = images_of(tree, true), test = images_of(tree, false);
  REQUIRE(train->count() == 2);
  CHECK(train->truth()->images[0].id == CocoTree::id(1));
  CHECK(train->truth()->images[1].id == CocoTree::id(3));
  CHECK(train->truth()->annotations.size() == 4);
  CHECK(plain_look(train, 0).boxes.size() == 1);
  REQUIRE(plain_look(train, 1).boxes.size() == 1);
  CHECK_FALSE(plain_look(train, 1).boxes[0].crowd);
  CHECK(plain_look(train, 1).index == 1);

  REQUIRE(test->count() == 5);
  CHECK(test->truth()->annotations.size() == 8);
  for (size_t i = 0; i < 5; ++i) CHECK(test->truth()->images[i].id == CocoTree::id(i));
  CHECK(plain_look(test, 0).boxes.empty());
  REQUIRE(plain_look(test, 3).boxes.size() == 2);
  CHECK(plain_look(test, 3).boxes[1].crowd);
  CHECK(plain_look(test, 4).boxes.empty());

  const CocoTree empty({{60, 40}}, {});
  CHECK_THROWS_WITH(images_of(empty, true), contains_text("train2017: no image has a box to train on"));
  CHECK(images_of(empty, false)->count() == 1);
}

TEST_CASE("short-side takes each of its six sizes, and pixels and boxes agree on it", "[datasets]") {
  const CocoTree tree({{60, 40}, {400, 40}},
                      {{.picture = 0, .box = {15, 10, 15, 10}}, {.picture = 1, .box = {0, 0, 9, 9}}});
  const auto images = images_of(tree, true);
  const Augmentation augmentation = {.flip = true, .short_side = true};
  std::set<int64_t> heights;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    RandomStream stream(seed);
    const auto seen = images->look(0, augmentation, stream);
    heights.insert(seen.height);
    const auto raster = resize(read_image(tree.file(0)), seen.width, seen.height);
    REQUIRE(seen.boxes.size() == 1);
    const auto& box = seen.boxes[0];
    const bool mirrors = box.x0 > static_cast<float>(seen.width) * 0.4F;
    CHECK(written(images, 0, augmentation, seed) == normalised(mirrors ? mirrored(raster) : raster));
    CHECK(box.y0 == static_cast<float>(static_cast<double>(seen.height) / 4));
    RandomStream again(seed);
    CHECK(images->look(1, augmentation, again).width <= longest_side(kSize));
  }
  CHECK(heights == std::set<int64_t>{26, 27, 28, 29, 31, 32});
}

TEST_CASE("a padded image lies in the upper left corner, zeros around it", "[datasets]") {
  const CocoTree tree({{60, 40}}, {});
  const auto images = images_of(tree, false);
  const auto own = normalised(resize(read_image(tree.file(0, kCocoVal)), 48, 32));
  const ImageShape size = {.channels = 3, .height = 35, .width = 64};
  for (const bool last : {false, true}) {
    std::vector<float> floats(size.size(), 7.0F);
    RandomStream no_chance(0);
    images->write_padded(0, {}, no_chance, size, last, floats);
    size_t wrong = 0;
    for (size_t c = 0; c < 3; ++c)
      for (size_t y = 0; y < 35; ++y)
        for (size_t x = 0; x < 64; ++x) {
          const float expected = y < 32 && x < 48 ? own[(c * 32 + y) * 48 + x] : 0.0F;
          wrong += floats[last ? (y * 64 + x) * 3 + c : (c * 35 + y) * 64 + x] == expected ? 0U : 1U;
        }
    CHECK(wrong == 0);
  }
  std::vector<float> small(3 * 32 * 32);
  RandomStream no_chance(0);
  CHECK_THROWS_AS(images->write_padded(0, {}, no_chance, {.channels = 3, .height = 32, .width = 32}, false, small),
                  LogicFault);
}

TEST_CASE("a part of a source is its first images with their truth", "[datasets]") {
  const CocoTree tree({{60, 40}, {40, 60}, {50, 50}}, {{.picture = 2, .box = {1, 2, 3, 4}},
                                                       {.picture = 0, .box = {1, 2, 3, 4}},
                                                       {.picture = 1, .box = {4, 4, 9, 9}, .crowd = true}});
  const auto whole = images_of(tree, false), part = part_of(whole, 2);
  REQUIRE(part->count() == 2);
  CHECK(part->boxed());
  REQUIRE(part->truth()->images.size() == 2);
  CHECK(part->truth()->images[1].id == CocoTree::id(1));
  REQUIRE(part->truth()->annotations.size() == 2);
  CHECK(part->truth()->annotations[0].id == 2);
  CHECK(part->truth()->categories.size() == 2);
  CHECK(part->category(1) == 7);
  CHECK(plain_look(part, 1) == plain_look(whole, 1));
  CHECK(written(part, 1, {}, 0) == written(whole, 1, {}, 0));
  CHECK(part->in_memory() == whole->in_memory());
  CHECK(part_of(whole, 3) == whole);
}

TEST_CASE("what takes little memory is read once, the rest each time, and both give the same", "[datasets]") {
  const CocoTree tree({{60, 40}, {40, 60}}, {{.picture = 0, .box = {1, 2, 3, 4}}, {.picture = 1, .box = {1, 2, 3, 4}}});
  const int64_t bytes = 2 * 3 * 48 * 32;
  const auto kept = images_of(tree, true, bytes), read = images_of(tree, true, bytes - 1);
  CHECK(kept->in_memory());
  CHECK_FALSE(read->in_memory());
  const auto first = written(kept, 0, {}, 0);
  CHECK(written(read, 0, {}, 0) == first);
  std::filesystem::remove(tree.file(0));
  CHECK(written(kept, 0, {}, 0) == first);
  CHECK_THROWS_WITH(written(read, 0, {}, 0), contains_text("picture0.jpg: cannot be read"));
  CHECK(written(kept, 1, {.flip = true}, seed_that(true)) == written(read, 1, {.flip = true}, seed_that(true)));
}

TEST_CASE("files that are missing, cut or of another size are refused by name", "[datasets]") {
  const CocoTree tree({{60, 40}, {40, 60}, {50, 50}}, {{.picture = 0, .box = {1, 2, 3, 4}}});
  const auto images = images_of(tree, false);
  const auto file = tree.file(0, kCocoVal);
  const auto bytes = read_file(file);
  write_file_atomically(file, bytes.substr(0, bytes.size() / 2));
  CHECK_THROWS_WITH(written(images, 0, {}, 0),
                    contains_text(file.string() + ": has ") && contains_text("when the folder was read"));
  CHECK_THROWS_WITH(written(images_of(tree, false), 0, {}, 0), contains_text(file.string() + ": "));
  write_file_atomically(file, read_file(tree.file(1, kCocoVal)));
  CHECK_THROWS_WITH(written(images_of(tree, false), 0, {}, 0),
                    file.string() + ": is 40 x 60 pixels, the annotations say 60 x 40");
  std::filesystem::remove(file);
  write_file_atomically(tree.file(2, kCocoVal), "");
  CHECK_THROWS_WITH(images_of(tree, false),
                    file.string() + ": is missing or empty, but the annotations name it; and 1 others");
  CHECK_THROWS_WITH(images_of(CocoTree({}, {}), false), contains_text("val2017: no images"));
}

TEST_CASE("images with boxes take flip and short-side, and no others take short-side", "[datasets]") {
  const CocoTree tree({{60, 40}}, {});
  const auto images = images_of(tree, false);
  images->check_augmentation({.flip = true, .short_side = true});
  for (const Augmentation& wrong :
       {Augmentation{.random_resized_crop = true}, Augmentation{.pad_crop = true}, Augmentation{.square_crop = true}})
    CHECK_THROWS_WITH(images->check_augmentation(wrong), "augment: images with boxes take flip and short-side alone");
  CHECK_THROWS_WITH(check_photo_augmentation({.short_side = true}),
                    contains_text("short-side is for images with boxes"));
}

TEST_CASE("coco and scenes are data sets: found, identified, loaded at a size", "[datasets]") {
  const CocoTree tree({{60, 40}, {40, 60}}, {{.picture = 0, .box = {1, 2, 3, 4}}});
  const test::TempFolder cache;
  const test::Variable own("XDG_CACHE_HOME", cache.path().string());
  for (const char* name : {"coco", "scenes", "scenes-20k"}) {
    CHECK(dataset_implemented(name));
    CHECK(dataset_boxed(name));
    CHECK(dataset_available(name, tree.root()));
    const auto manifest = dataset_manifest(name, {.root = tree.root()});
    CHECK((manifest.train == 1 && manifest.test == 2));
    const auto data = load_dataset(name, {.root = tree.root(), .image_size = kSize});
    CHECK(data.manifest == manifest.digest);
    CHECK((data.train->count() == 1 && data.test->count() == 2));
    CHECK(plain_look(data.test, 0).width == 48);
    CHECK(plain_look(load_dataset(name, {.root = tree.root()}).test, 0).height ==
          (std::string(name) == "coco" ? 800 : 320));
  }
  CHECK_THROWS_WITH(load_dataset("coco", {.root = tree.root(), .complete = true}), contains_text("not all of COCO"));
  for (const int64_t wrong : {int64_t{-1}, kLargestImageSize + 1})
    CHECK_THROWS_WITH(load_dataset("coco", {.root = tree.root(), .image_size = wrong}),
                      contains_text("1 to 4096 pixels"));
  CHECK_THROWS_WITH(load_dataset("fashion-mnist", {.image_size = 28}),
                    "image_size: 28, but the images of fashion-mnist have one size");
  CHECK_FALSE(dataset_boxed("imagenet"));
  CHECK_FALSE(dataset_boxed("no-such-data"));
}

TEST_CASE("what identifies a COCO folder is kept until a file comes, goes or changes its length", "[datasets]") {
  const CocoTree tree({{60, 40}, {40, 60}}, {{.picture = 0, .box = {1, 2, 3, 4}}});
  const test::TempFolder cache;
  const test::Variable own("XDG_CACHE_HOME", cache.path().string());
  const auto digest = [&] { return dataset_manifest("coco", {.root = tree.root()}).digest; };
  const auto first = digest();
  CHECK(digest() == first);
  write_file_atomically(tree.file(1), read_file(tree.file(0)));
  CHECK(digest() != first);
  std::filesystem::remove(tree.file(1));
  CHECK_THROWS_WITH(digest(), contains_text("picture1.jpg: is missing or empty"));
}
