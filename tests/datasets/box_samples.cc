// Samples of boxes: taken, written, read back, refused, and drawn.
#include "datasets/box_samples.h"

#include <limits>

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/safetensors.h"
#include "datasets/box_grid.h"
#include "datasets/image/drawing.h"
#include "datasets/image/encode_png.h"
#include "datasets/sources/coco_images.h"
#include "tests/datasets/coco_tree.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

constexpr size_t kRows = 3;

// Two rows a box, and an empty one: of image i a box of label 1 at (10, 20) .. (30, 40 + i).
std::vector<float> rows_of(int64_t images) {
  std::vector<float> rows;
  for (int64_t i = 0; i < images; ++i)
    for (const float number : {1.0F, 0.75F, 10.0F, 20.0F, 30.0F, 40.0F + static_cast<float>(i),  //
                               0.0F, 0.25F, 0.0F, 0.0F, 5.0F, 5.0F,                              //
                               -1.0F, -1.0F, -1.0F, -1.0F, -1.0F, -1.0F})
      rows.push_back(number);
  return rows;
}

BoxSamples example() {
  BoxSamples samples = {.categories = {"shirt", "dress"}, .images = {}};
  for (int64_t i = 0; i < 3; ++i)
    samples.images.push_back({.id = 70 + i,
                              .picture = ground(60 + 10 * i, 40, {90, 90, 90}),
                              .truth = {{.label = 1, .score = 1, .x0 = 10, .y0 = 8, .x1 = 30, .y1 = 28}},
                              .found = {{.label = 1, .score = 0.9F, .x0 = 12, .y0 = 8, .x1 = 31, .y1 = 27},
                                        {.label = 0, .score = 0.1F, .x0 = 0, .y0 = 0, .x1 = 9, .y1 = 9}}});
  return samples;
}

void check_equal(const BoxSamples& a, const BoxSamples& b) {
  CHECK(a.categories == b.categories);
  REQUIRE(a.images.size() == b.images.size());
  for (size_t i = 0; i < a.images.size(); ++i) {
    CHECK(a.images[i].id == b.images[i].id);
    CHECK(a.images[i].picture.rgb == b.images[i].picture.rgb);
    CHECK(a.images[i].picture.width == b.images[i].picture.width);
    CHECK(a.images[i].truth == b.images[i].truth);
    CHECK(a.images[i].found == b.images[i].found);
  }
}

int64_t count(const Raster& picture, const Colour& colour) {
  int64_t found = 0;
  for (size_t i = 0; i < picture.rgb.size(); i += 3)
    found += Colour{picture.rgb[i], picture.rgb[i + 1], picture.rgb[i + 2]} == colour ? 1 : 0;
  return found;
}

constexpr Colour kTrue = {86, 180, 233}, kFound = {230, 159, 0};

}  // namespace

TEST_CASE("samples are spread evenly over the images", "[datasets]") {
  CHECK(sample_places(1) == std::vector<size_t>{0});
  CHECK(sample_places(3) == std::vector<size_t>{0, 1, 2});
  CHECK(sample_places(8) == std::vector<size_t>{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(sample_places(500) == std::vector<size_t>{0, 62, 125, 187, 250, 312, 375, 437});
}

TEST_CASE("samples have boxes in the pixels of their pictures, and no crowds", "[datasets]") {
  const test::CocoTree tree({{80, 60}, {800, 400}},
                            {{.picture = 0, .category = 7, .box = {10, 20, 20, 10}},
                             {.picture = 0, .category = 3, .box = {0, 0, 80, 60}, .crowd = true},
                             {.picture = 1, .category = 3, .box = {100, 200, 300, 100}}});
  // As large as the files: the second is reduced, being longer than a sample may be.
  const auto images = coco_images(read_coco_split(tree.root(), kCocoVal), {.size = 400});
  const auto samples = take_box_samples(*images, rows_of(2), kRows);
  CHECK(samples.categories == std::vector<std::string>{"a", "b"});
  REQUIRE(samples.images.size() == 2);
  const auto& first = samples.images[0];
  CHECK(first.id == test::CocoTree::id(0));
  CHECK((first.picture.width == 400 && first.picture.height == 300));
  REQUIRE(first.truth.size() == 1);
  CHECK(first.truth[0] == SampleBox{.label = 1, .score = 1, .x0 = 50, .y0 = 100, .x1 = 150, .y1 = 150});
  REQUIRE(first.found.size() == 2);
  CHECK(first.found[0] == SampleBox{.label = 1, .score = 0.75F, .x0 = 50, .y0 = 100, .x1 = 150, .y1 = 200});
  const auto& second = samples.images[1];
  CHECK((second.picture.width == kSampleSide && second.picture.height == 200));
  CHECK(second.truth.at(0) == SampleBox{.label = 0, .score = 1, .x0 = 50, .y0 = 100, .x1 = 200, .y1 = 150});
  CHECK(second.found.at(0).y1 == 20.5F);
}

TEST_CASE("samples come back from their file", "[datasets]") {
  const auto samples = example();
  const auto bytes = dump_box_samples(samples);
  check_equal(parse_box_samples(bytes, "here"), samples);
  CHECK(dump_box_samples(samples) == bytes);
  auto bare = samples;
  for (auto& image : bare.images) {
    image.truth.clear();
    image.found.clear();
  }
  check_equal(parse_box_samples(dump_box_samples(bare), "here"), bare);
}

TEST_CASE("what is no file of samples is refused with its place", "[datasets]") {
  const auto good = parse_safetensors(dump_box_samples(example()), "here");
  const auto refused = [&](const auto& change, const std::string& why) {
    auto file = good;
    change(file);
    CHECK_THROWS_WITH(parse_box_samples(dump_safetensors(file), "here"), contains_text(why));
    CHECK_THROWS_AS(parse_box_samples(dump_safetensors(file), "here"), UserError);
  };
  using File = SafeTensors;
  for (const size_t cut : {size_t{0}, size_t{7}, size_t{100}, dump_safetensors(good).size() - 1})
    CHECK_THROWS_AS(parse_box_samples(dump_safetensors(good).substr(0, cut), "here"), UserError);
  refused([](File& file) { file.tensors.erase("ids"); }, "here: no samples of boxes: has no ids");
  refused([](File& file) { file.tensors.erase("found.1"); }, "has no found.1");
  refused([](File& file) { file.metadata.clear(); }, "has no categories");
  for (const auto* text : {"", "{", "7", "[]", "[1]", "{\"a\": 1}", "[[[[\"a\"]]]]", "[\"a\", null]"})
    refused([&](File& file) { file.metadata["categories"] = text; }, "categories: no array of names");
  refused([](File& file) { file.tensors["ids"].bytes.replace(8, 8, file.tensors["ids"].bytes.substr(0, 8)); },
          "ids: the same twice");
  refused([](File& file) { file.tensors["ids"] = {.dtype = "I64", .shape = {9}, .bytes = std::string(72, '\0')}; },
          "expected 1 to 8 images");
  refused([](File& file) { file.tensors["ids"] = {.dtype = "I64", .shape = {0}}; }, "expected 1 to 8 images");
  refused([](File& file) { file.tensors["truth.0"].dtype = "I32"; }, "truth.0: is no F32");
  refused([](File& file) { file.tensors["truth.0"].shape = {3, 2}; }, "truth.0: no rows of boxes");
  refused([](File& file) { file.tensors["picture.2"] = {.dtype = "U8", .shape = {4}, .bytes = "PNG?"}; },
          "here: picture.2");
  // One that would take memory: wider than a sample is.
  refused(
      [](File& file) {
        const auto png = encode_png(ground(kSampleSide + 1, kSampleSide, {}));
        file.tensors["picture.0"] = {.dtype = "U8", .shape = {std::ssize(png)}, .bytes = png};
      },
      "here: picture.0");
  for (const auto& [place, number] : {std::pair{size_t{0}, 2.0F},
                                      {0, -1.0F},
                                      {1, 1.5F},
                                      {1, -1.0F},
                                      {3, std::numeric_limits<float>::infinity()},
                                      {5, std::numeric_limits<float>::quiet_NaN()}})
    refused(
        [place = place, number = number](File& file) {
          file.tensors["found.0"].bytes.replace(4 * place, 4, reinterpret_cast<const char*>(&number), 4);
        },
        "found.0: row 0 is no box");
}

TEST_CASE("a file too large for samples is not read", "[datasets]") {
  const test::TempFolder folder;
  const auto path = folder.path() / "boxes";
  write_file_atomically(path, "x");
  std::filesystem::resize_file(path, kMostSampleBytes + 1);
  CHECK_THROWS_WITH(read_box_samples(path), contains_text("too large for samples of boxes"));
  CHECK_THROWS_AS(read_box_samples(folder.path() / "nothing"), UserError);
}

TEST_CASE("a grid has a tile for each image of each column, true boxes broad, found ones narrow", "[datasets]") {
  const auto samples = example();
  auto nothing_found = samples, no_boxes = samples;
  for (auto& image : nothing_found.images) image.found.clear();
  for (auto& image : no_boxes.images) image.found = image.truth = {};
  const auto bare = draw_box_grid("t", std::vector<BoxColumn>{{"a", no_boxes}});
  const auto with_truth = draw_box_grid("t", std::vector<BoxColumn>{{"a", nothing_found}});
  const auto whole = draw_box_grid("t", std::vector<BoxColumn>{{"a", samples}});
  const auto two = draw_box_grid("t", std::vector<BoxColumn>{{"a", samples}, {"b", samples}});
  CHECK((bare.width == whole.width && bare.height == whole.height));
  CHECK((two.width > whole.width && two.height == whole.height));
  // The legend has both colours.
  CHECK(count(with_truth, kTrue) > count(bare, kTrue) + 1000);
  CHECK(count(with_truth, kFound) == count(bare, kFound));
  CHECK(count(whole, kFound) > count(bare, kFound) + 1000);
  CHECK(count(two, kFound) - count(bare, kFound) == 2 * (count(whole, kFound) - count(bare, kFound)));
  // What is found with a score of 10 % is not drawn.
  auto sure = samples;
  for (auto& image : sure.images) image.found.pop_back();
  CHECK(draw_box_grid("t", std::vector<BoxColumn>{{"a", sure}}).rgb == whole.rgb);
  for (auto& image : sure.images) image.found.push_back({.label = 0, .score = 0.3F, .x1 = 9, .y1 = 9});
  CHECK(draw_box_grid("t", std::vector<BoxColumn>{{"a", sure}}).rgb != whole.rgb);
}

TEST_CASE("a grid of many columns has fewer lines, and boxes may lie anywhere", "[datasets]") {
  auto samples = example();
  const auto few = draw_box_grid("t", std::vector<BoxColumn>(3, {"a", samples}));
  const auto many = draw_box_grid("t", std::vector<BoxColumn>(14, {"a", samples}));
  const auto most = draw_box_grid("t", std::vector<BoxColumn>(40, {"a", samples}));
  CHECK(many.height < few.height);
  CHECK(most.height < many.height);
  CHECK(most.width > many.width);
  constexpr float kFar = std::numeric_limits<float>::max();
  for (auto& image : samples.images)
    image.found = {{.label = 1, .score = 1, .x0 = -kFar, .y0 = -kFar, .x1 = kFar, .y1 = kFar},
                   {.label = 1, .score = 1, .x0 = 20, .y0 = 20, .x1 = 10, .y1 = 10},
                   {.label = 1, .score = 1, .x0 = kFar, .y0 = kFar, .x1 = kFar, .y1 = kFar}};
  samples.categories[1] = std::string(10'000, 'x') + "\xc3";
  const auto odd = draw_box_grid(std::string(10'000, 't'), std::vector<BoxColumn>{{std::string(10'000, 'c'), samples}});
  CHECK(odd.width == draw_box_grid("t", std::vector<BoxColumn>{{"a", samples}}).width);
}

TEST_CASE("an image that another column has not is said in its place", "[datasets]") {
  auto other = example();
  for (auto& image : other.images) image.id += 1;
  const auto same = draw_box_grid("t", std::vector<BoxColumn>{{"a", example()}, {"b", example()}});
  const auto shifted = draw_box_grid("t", std::vector<BoxColumn>{{"a", example()}, {"b", other}});
  CHECK(shifted.width == same.width);
  CHECK(count(shifted, {225, 225, 225}) > 10'000);
  CHECK(count(same, {225, 225, 225}) == 0);
}
