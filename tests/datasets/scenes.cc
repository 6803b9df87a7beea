// Generated pictures and their trees, on made-up garments: nothing here needs Fashion-MNIST.
#include "datasets/scenes/scene.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/check.h"
#include "base/error.h"
#include "base/files/file.h"
#include "datasets/image/decode.h"
#include "datasets/image/encode.h"
#include "datasets/scenes/generate.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;

namespace {

constexpr int64_t kSide = 28;

// Three garments of each class: rectangles with a black hole, upright for even labels and lying for odd ones.
ImageSet made_up_garments(uint64_t seed) {
  ImageSet set{.count = 30, .height = kSide, .width = kSide, .classes = 10};
  RandomStream stream(seed);
  set.pixels.resize(static_cast<size_t>(set.count) * set.image_size());
  for (int64_t i = 0; i < set.count; ++i) {
    set.labels.push_back(i % 10);
    const auto thin = static_cast<int64_t>(stream.below(8));
    const int64_t left = i % 2 == 0 ? thin : 0, top = i % 2 == 0 ? 0 : thin;
    for (int64_t y = top; y < kSide - top; ++y)
      for (int64_t x = left; x < kSide - left; ++x) {
        const bool hole = x >= 12 && x < 16 && y >= 12 && y < 16;
        set.pixels[static_cast<size_t>((i * kSide + y) * kSide + x)] =
            hole ? 0 : static_cast<uint8_t>(100 + stream.below(156));
      }
  }
  return set;
}

// One garment: a square ring, closed or with a gap in its right side.
ImageSet ring(bool closed) {
  ImageSet set{.labels = {3}, .count = 1, .height = kSide, .width = kSide, .classes = 10};
  for (int64_t y = 0; y < kSide; ++y)
    for (int64_t x = 0; x < kSide; ++x) {
      const bool inner = x >= 6 && x < 22 && y >= 6 && y < 22, gap = x >= 22 && y >= 10 && y < 18;
      set.pixels.push_back(inner || (gap && !closed) ? 0 : 200);
    }
  return set;
}

SceneStyle one_garment(float size, float truncation_chance) {
  SceneStyle style = kDetectionStyle;
  style.garments = {.least = 1, .most = 1};
  style.first_size = {.least = size, .most = size};
  style.crowd_chance = 0;
  style.truncation_chance = truncation_chance;
  return style;
}

Scene scene_of(const ImageSet& garments, const SceneStyle& style, uint64_t index, int64_t seed = 0) {
  RandomStream stream(stream_seed(seed, "test", index));
  return paint_scene(garments, style, stream);
}

std::vector<Scene> scenes_in(const SceneStyle& style) {
  const auto garments = made_up_garments(1);
  std::vector<Scene> scenes;
  for (uint64_t i = 0; i < 200; ++i) scenes.push_back(scene_of(garments, style, i));
  return scenes;
}

const std::vector<Scene>& two_hundred_scenes() {
  static const auto kScenes = scenes_in(kDetectionStyle);
  return kScenes;
}

// Column after column, as the runs are.
std::vector<uint8_t> mask_of(const SceneObject& object) {
  std::vector<uint8_t> mask;
  uint8_t seen = 0;
  for (const uint32_t run : object.runs) {
    mask.insert(mask.end(), run, seen);
    seen ^= 1;
  }
  return mask;
}

bool touches_edge(const SceneObject& object, const Raster& picture) {
  return object.x == 0 || object.y == 0 || object.x + object.width == picture.width ||
         object.y + object.height == picture.height;
}

// Left, top, right, bottom (excluded) of what is seen.
std::array<int64_t, 4> box_of(const std::vector<uint8_t>& mask, int64_t height) {
  std::array<int64_t, 4> box = {static_cast<int64_t>(mask.size()), height, 0, 0};
  for (size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] == 0) continue;
    const int64_t x = static_cast<int64_t>(i) / height, y = static_cast<int64_t>(i) % height;
    box = {std::min(box[0], x), std::min(box[1], y), std::max(box[2], x + 1), std::max(box[3], y + 1)};
  }
  return box;
}

// Every file's bytes by its path within the folder.
std::map<std::string, std::string> files_of(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files[entry.path().lexically_relative(folder)] = read_file(entry.path());
  return files;
}

using Generate = void(const std::filesystem::path&, const ImageSet&, const ImageSet&, const GenerateOptions&);

std::map<std::string, std::string> generated(Generate& generate, const GenerateOptions& options) {
  const test::TempFolder folder;
  generate(folder.path() / "tree", made_up_garments(1), made_up_garments(2), options);
  return files_of(folder.path() / "tree");
}

std::string complaint(Generate& generate, const std::filesystem::path& folder, const GenerateOptions& options) {
  try {
    generate(folder, made_up_garments(1), made_up_garments(2), options);
  } catch (const UserError& error) {
    CHECK(error.code() == ExitCode::usage);
    return error.what();
  }
  return "no complaint";
}

// Files of this process may not grow beyond a size, as on a full disk.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallFiles() {
    setrlimit(RLIMIT_FSIZE, &before_);
    static_cast<void>(std::signal(SIGXFSZ, handler_));
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

}  // namespace

TEST_CASE("an object's runs, area and box say the same, and no pixel has two owners", "[datasets]") {
  for (size_t i = 0; i < 80; ++i) {
    const auto& scene = two_hundred_scenes()[i];
    const auto pixels = static_cast<size_t>(scene.picture.width * scene.picture.height);
    std::vector<uint8_t> owners(pixels);
    for (const auto& object : scene.objects) {
      const auto mask = mask_of(object);
      REQUIRE(mask.size() == pixels);
      const std::array<int64_t, 4> box = {object.x, object.y, object.x + object.width, object.y + object.height};
      CHECK(box == box_of(mask, scene.picture.height));
      CHECK(object.area == std::count(mask.begin(), mask.end(), 1));
      CHECK(object.area >= kLeastVisible);
      std::transform(mask.begin(), mask.end(), owners.begin(), owners.begin(), std::plus<>());
    }
    CHECK(*std::max_element(owners.begin(), owners.end()) <= 1);
  }
}

TEST_CASE("200 pictures show small, medium and large garments of every class, and crowds", "[datasets]") {
  std::set<int64_t> labels;
  int64_t small = 0, medium = 0, large = 0, crowds = 0;
  for (const auto& scene : two_hundred_scenes()) {
    CHECK(!scene.objects.empty());
    CHECK((scene.picture.width >= 160 && scene.picture.width <= 320));
    CHECK((scene.picture.height >= 160 && scene.picture.height <= 320));
    for (const auto& object : scene.objects) {
      labels.insert(object.label);
      crowds += object.crowd ? 1 : 0;
      ++(object.area < 1024 ? small : object.area < 9216 ? medium : large);
    }
  }
  CHECK(labels.size() == 10);
  CHECK(small > 50);
  CHECK(medium > 50);
  CHECK(large > 50);
  CHECK(crowds > 5);
}

TEST_CASE("plain pictures are square, show few garments and no crowd", "[datasets]") {
  int64_t objects = 0;
  std::set<int64_t> labels;
  for (const auto& scene : scenes_in(kPlainStyle)) {
    CHECK((scene.picture.width == 160 && scene.picture.height == 160));
    CHECK(scene.objects.size() <= static_cast<size_t>(kPlainStyle.garments.most));
    objects += std::ssize(scene.objects);
    for (const auto& object : scene.objects) {
      CHECK_FALSE(object.crowd);
      labels.insert(object.label);
    }
  }
  CHECK(objects > 300);
  CHECK(labels.size() == 10);
}

TEST_CASE("a garment that is to be truncated meets the picture's edge, no other does", "[datasets]") {
  const auto garments = made_up_garments(1);
  for (uint64_t i = 0; i < 20; ++i) {
    const auto cut = scene_of(garments, one_garment(0.4F, 1), i), whole = scene_of(garments, one_garment(0.4F, 0), i);
    REQUIRE(cut.objects.size() == 1);
    CHECK(touches_edge(cut.objects[0], cut.picture));
    REQUIRE(whole.objects.size() == 1);
    CHECK_FALSE(touches_edge(whole.objects[0], whole.picture));
  }
}

TEST_CASE("whatever is painted over a garment leaves a quarter of it", "[datasets]") {
  const auto garments = made_up_garments(1);
  SceneStyle alone = one_garment(0.3F, 0), covered = alone;
  covered.garments = {.least = 6, .most = 6};
  covered.other_size = {.least = 0.4F, .most = 0.8F};
  int half_hidden = 0;
  for (uint64_t i = 0; i < 20; ++i) {
    const auto first = scene_of(garments, alone, i).objects, all = scene_of(garments, covered, i).objects;
    REQUIRE((first.size() == 1 && all.size() > 1));
    CHECK(4 * all[0].area >= first[0].area);
    half_hidden += 2 * all[0].area < first[0].area ? 1 : 0;
  }
  CHECK(half_hidden > 0);
}

TEST_CASE("dark parts belong to a garment where the outside does not reach them", "[datasets]") {
  for (uint64_t i = 0; i < 5; ++i) {
    std::array<double, 2> shares{};
    for (const bool closed : {false, true}) {
      const auto scene = scene_of(ring(closed), one_garment(0.5F, 0), i);
      REQUIRE(scene.objects.size() == 1);
      const auto& object = scene.objects[0];
      const int64_t middle = (object.x + object.width / 2) * scene.picture.height + object.y + object.height / 2;
      CHECK(mask_of(object)[static_cast<size_t>(middle)] == (closed ? 1 : 0));
      shares[closed ? 1 : 0] = static_cast<double>(object.area);
    }
    // 28^2 pixels, less 16^2 and 6 x 8.
    CHECK(shares[0] / shares[1] == Approx(480.0 / 784).epsilon(0.03));
  }
}

TEST_CASE("equal streams paint equal pictures, others another one", "[datasets]") {
  const auto garments = made_up_garments(1);
  const auto& first = two_hundred_scenes()[7];
  const auto again = scene_of(garments, kDetectionStyle, 7), other = scene_of(garments, kDetectionStyle, 7, 1);
  CHECK(first.picture.rgb == again.picture.rgb);
  REQUIRE(first.objects.size() == again.objects.size());
  for (size_t i = 0; i < first.objects.size(); ++i) CHECK(first.objects[i].runs == again.objects[i].runs);
  CHECK(first.picture.rgb != other.picture.rgb);
}

TEST_CASE("blank garments are not painted, and a class that is not there is a fault of ours", "[datasets]") {
  auto garments = ring(true);
  CHECK_THROWS_AS(scene_of(
                      garments,
                      [] {
                        auto style = one_garment(0.5F, 0);
                        style.first_label = 4;
                        return style;
                      }(),
                      0),
                  LogicFault);
  std::fill(garments.pixels.begin(), garments.pixels.end(), uint8_t{0});
  CHECK(scene_of(garments, kDetectionStyle, 0).objects.empty());
}

TEST_CASE("a JPEG is small at a low quality and near to the pixels at a high one", "[datasets]") {
  const auto& picture = two_hundred_scenes()[0].picture;
  const auto fine = encode_jpeg(picture, 95);
  CHECK(fine == encode_jpeg(picture, 95));
  CHECK(encode_jpeg(picture, 20).size() < fine.size() / 2);
  const auto decoded = decode_image(fine, "fine");
  REQUIRE((decoded.width == picture.width && decoded.height == picture.height));
  double error = 0;
  for (size_t i = 0; i < decoded.rgb.size(); ++i) error += std::abs(decoded.rgb[i] - picture.rgb[i]);
  CHECK(error / static_cast<double>(decoded.rgb.size()) < 6);
  CHECK_THROWS_AS(encode_jpeg(picture, 0), LogicFault);
  CHECK_THROWS_AS(encode_jpeg(Raster(), 90), LogicFault);
}

TEST_CASE("a tree's bytes depend on its seed and not on the threads that write it", "[datasets]") {
  const auto check = [](Generate& generate, int64_t images) {
    const auto alone = generated(generate, {.images = images, .seed = 5, .threads = 1});
    CHECK(alone == generated(generate, {.images = images, .seed = 5, .threads = 3}));
    const auto other = generated(generate, {.images = images, .seed = 6, .threads = 3});
    REQUIRE(alone.size() == other.size());
    for (const auto& [name, bytes] : alone) CHECK(bytes != other.at(name));
  };
  check(generate_scenes, 12);
  check(generate_photographs, 20);
}

TEST_CASE("validation pictures show the test garments alone, training pictures the training garments", "[datasets]") {
  const auto garments = made_up_garments(1);
  auto blank = garments;
  std::fill(blank.pixels.begin(), blank.pixels.end(), uint8_t{0});
  const test::TempFolder folder;
  generate_scenes(folder.path() / "blank test", garments, blank, {.images = 20});
  generate_scenes(folder.path() / "blank train", blank, garments, {.images = 20});
  const auto objects = [&](const std::string& file) {
    return nlohmann::json::parse(read_file(folder.path() / file)).at("annotations").size();
  };
  CHECK(objects("blank test/annotations/instances_train2017.json") > 18);
  CHECK(objects("blank test/annotations/instances_val2017.json") == 0);
  CHECK(objects("blank train/annotations/instances_train2017.json") == 0);
  CHECK(objects("blank train/annotations/instances_val2017.json") >= 1);
}

TEST_CASE("a COCO tree names every picture and numbers its objects", "[datasets]") {
  const auto files = generated(generate_scenes, {.images = 60, .threads = 2});
  CHECK(files.size() == 62);
  std::set<int64_t> images;
  size_t empty = 0;
  for (const auto& [split, count] : {std::pair{"train2017", 54U}, std::pair{"val2017", 6U}}) {
    const auto tree = nlohmann::json::parse(files.at(std::string("annotations/instances_") + split + ".json"));
    CHECK(tree.at("images").size() == count);
    std::map<int64_t, nlohmann::json> sizes;
    for (const auto& image : tree.at("images")) {
      const auto name = image.at("file_name").get<std::string>();
      const auto picture = decode_image(files.at(std::string(split) + '/' + name), name);
      CHECK((image.at("width") == picture.width && image.at("height") == picture.height && image.at("license") == 1));
      const int64_t id = image.at("id");
      CHECK(std::stoll(name) == id);
      CHECK(images.insert(id).second);
      sizes[id] = {picture.height, picture.width};
    }
    std::set<int64_t> shown;
    int64_t id = 0;
    for (const auto& object : tree.at("annotations")) {
      CHECK(object.at("id") == ++id);
      shown.insert(object.at("image_id").get<int64_t>());
      CHECK(object.at("segmentation").at("size") == sizes.at(object.at("image_id")));
      CHECK((object.at("category_id") >= 1 && object.at("category_id") <= 10));
      CHECK((object.at("bbox").size() == 4 && object.at("area") >= kLeastVisible));
      CHECK((object.at("iscrowd") == 0 || object.at("iscrowd") == 1));
    }
    empty += count - shown.size();
    CHECK(tree.at("categories").size() == 10);
    CHECK(tree.at("categories")[9] ==
          nlohmann::json({{"supercategory", "garment"}, {"id", 10}, {"name", "Ankle boot"}}));
  }
  CHECK((images.size() == 60 && *images.begin() == 1 && *images.rbegin() == 60));
  CHECK((empty > 0 && empty < 10));
}

TEST_CASE("as many pictures as asked for are for validation, and no picture changes by it", "[datasets]") {
  const auto tenth = generated(generate_scenes, {.images = 12, .seed = 5});
  const auto quarter = generated(generate_scenes, {.images = 12, .validation = 3, .seed = 5});
  CHECK(tenth.contains("train2017/000000000011.jpg"));
  CHECK_FALSE(quarter.contains("train2017/000000000010.jpg"));
  CHECK(quarter.contains("val2017/000000000010.jpg"));
  for (const char* name : {"train2017/000000000001.jpg", "train2017/000000000009.jpg", "val2017/000000000012.jpg"})
    CHECK(tenth.at(name) == quarter.at(name));
  const test::TempFolder folder;
  CHECK_THAT(complaint(generate_scenes, folder.path(), {.images = 12, .validation = 12}),
             contains_text("validation: 12 of 12 images, at least 1 needed, and as many for training"));
  CHECK_THAT(complaint(generate_photographs, folder.path(), {.images = 40, .validation = 9}),
             contains_text("validation: 9 of 40 images, at least 10 needed"));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("an ImageFolder tree has pictures of every class in both splits", "[datasets]") {
  const auto files = generated(generate_photographs, {.images = 33, .threads = 2});
  CHECK(files.size() == 33);
  std::map<std::string, int> counts;
  for (const auto& [name, bytes] : files) {
    ++counts[std::filesystem::path(name).parent_path()];
    const auto picture = decode_image(bytes, name);
    CHECK((picture.width == 500 && picture.height == 375));
  }
  for (const auto& garment : kGarmentClasses) {
    CHECK(counts.at("val/" + std::string(garment.folder)) == 1);
    const int training = counts.at("train/" + std::string(garment.folder));
    CHECK((training == 2 || training == 3));
  }
}

TEST_CASE("a folder that holds something, too few images and no thread are refused", "[datasets]") {
  const test::TempFolder folder;
  CHECK_THAT(complaint(generate_scenes, folder.path(), {.images = 1}), contains_text("images: 1, at least 2"));
  CHECK_THAT(complaint(generate_photographs, folder.path(), {.images = 19}), contains_text("images: 19, at least 20"));
  CHECK_THAT(complaint(generate_scenes, folder.path(), {.images = 2, .threads = 0}), contains_text("threads: 0"));
  CHECK(complaint(generate_scenes, folder.path(), {.images = 2}) == "no complaint");
  CHECK_THAT(complaint(generate_scenes, folder.path(), {.images = 2}), contains_text(folder.path().string()));
  CHECK_THAT(complaint(generate_photographs, folder.path(), {.images = 20}), contains_text("is not empty"));
  CHECK_THAT(complaint(generate_scenes, folder.path() / "val2017/000000000002.jpg", {.images = 2}),
             contains_text("000000000002.jpg: cannot be created"));
}

TEST_CASE("a tree whose pictures could not be written does not pass for whole", "[datasets]") {
  const test::TempFolder folder;
  const SmallFiles full_disk(2000);
  CHECK_THAT(complaint(generate_scenes, folder.path() / "scenes", {.images = 4, .threads = 2}),
             contains_text(".jpg: cannot be written: File too large"));
  CHECK(std::filesystem::is_empty(folder.path() / "scenes/annotations"));
  CHECK_THAT(complaint(generate_photographs, folder.path() / "photographs", {.images = 20}),
             contains_text(".JPEG: cannot be written: File too large"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "photographs/val"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "photographs/train"));
}
