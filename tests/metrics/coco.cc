#include <filesystem>
#include <fstream>
#include <functional>

#include "base/error.h"
#include "metrics/coco_json.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;

namespace {

// The generator of a set whose twelve numbers the original evaluation code has given.
class Draws {
 public:
  int64_t below(int64_t bound) {
    state_ = (state_ * 1103515245 + 12345) % (int64_t{1} << 31);
    return (state_ >> 16) % bound;
  }

 private:
  int64_t state_ = 12345;
};

struct Set {
  CocoTruth truth;
  std::vector<CocoDetection> detections;
};

Set golden_set() {
  Set set;
  Draws draw;
  for (int64_t category = 1; category <= 4; ++category) set.truth.categories.push_back({category, "c"});
  for (int64_t image = 1; image <= 12; ++image) {
    set.truth.images.push_back({.id = image});
    const size_t first = set.truth.annotations.size();
    for (auto left = draw.below(9); left > 0; --left) {
      CocoAnnotation a;
      a.id = static_cast<int64_t>(set.truth.annotations.size()) + 1;
      a.image = image;
      a.category = 1 + draw.below(3);
      a.box.x = static_cast<double>(draw.below(400));
      a.box.y = static_cast<double>(draw.below(300));
      a.box.w = static_cast<double>(4 + draw.below(200));
      a.box.h = static_cast<double>(4 + draw.below(150));
      a.crowd = draw.below(8) == 0;
      a.area = a.box.w * a.box.h * static_cast<double>(50 + draw.below(50)) / 100;
      set.truth.annotations.push_back(a);
    }
    for (size_t t = first; t < set.truth.annotations.size(); ++t) {
      const auto& a = set.truth.annotations[t];
      for (auto left = 1 + draw.below(3); left > 0; --left) {
        const auto dx = static_cast<double>(draw.below(9) - 4), dy = static_cast<double>(draw.below(9) - 4);
        const auto dw = static_cast<double>(draw.below(13) - 6), dh = static_cast<double>(draw.below(13) - 6);
        CocoDetection d = {.image = image, .category = a.category};
        if (draw.below(5) == 0) d.category = 1 + draw.below(3);
        d.box = {a.box.x + dx / 2, a.box.y + dy / 2, std::max(1.0, a.box.w + dw / 2), std::max(1.0, a.box.h + dh / 2)};
        d.score = static_cast<double>(1 + draw.below(32)) / 32;
        set.detections.push_back(d);
      }
    }
    for (auto left = draw.below(4); left > 0; --left) {
      CocoDetection d = {.image = image, .category = 1 + draw.below(3)};
      d.box.x = static_cast<double>(draw.below(400));
      d.box.y = static_cast<double>(draw.below(300));
      d.box.w = static_cast<double>(4 + draw.below(200));
      d.box.h = static_cast<double>(4 + draw.below(150));
      d.score = static_cast<double>(1 + draw.below(32)) / 32;
      set.detections.push_back(d);
    }
  }
  return set;
}

void check_numbers(const CocoResult& found, const std::array<double, 12>& wanted) {
  for (size_t i = 0; i < wanted.size(); ++i) {
    INFO("number " << i);
    CHECK(found.numbers[i] == Approx(wanted[i]).epsilon(0).margin(5e-13));
  }
}

// One category, one image.
Set single() {
  Set set;
  set.truth.images = {{.id = 1}};
  set.truth.categories = {{1, "thing"}};
  return set;
}

CocoAnnotation truth_at(int64_t id, const CocoBox& box, bool crowd = false) {
  return {.id = id, .image = 1, .category = 1, .box = box, .area = box.w * box.h, .crowd = crowd};
}

const char* const kTruth =
    R"({"info": {"year": 1}, "images": [{"id": 1, "width": 9}], "categories": [{"id": 7, "name": "cat"}],
        "annotations": [{"id": 3, "image_id": 1, "category_id": 7, "bbox": [1, 2, 3.5, 4], "area": 9.5, "iscrowd": 1,
                         "segmentation": {"counts": [1, 2], "size": [3, 4]}}]})";

std::string complaint(const std::function<void()>& action) {
  try {
    action();
  } catch (const UserError& error) {
    CHECK(error.code() == ExitCode::data_missing);
    return error.what();
  }
  return "no complaint";
}

std::filesystem::path file_with(const test::TempFolder& folder, const std::string& text) {
  const auto path = folder.path() / "file.json";
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

}  // namespace

TEST_CASE("COCO's numbers of the golden set to twelve digits, on any number of threads", "[metrics]") {
  auto set = golden_set();
  CHECK(set.truth.annotations.size() == 45);
  CHECK(set.detections.size() == 108);
  CHECK(set.truth.annotations[0].area == 14053.68);
  for (const int threads : {1, 3}) {
    const auto result = evaluate_coco(set.truth, set.detections, threads);
    check_numbers(result, {.525887562267, .664724398273, .606323792977, .486692597831, .567511839531, .726402640264,
                           .392890442890, .875058275058, .876573426573, .687500000000, .867191142191, .976666666667});
    CHECK(result.categories.size() == 4);
    CHECK(result.categories[3].ap == -1);  // no truth of the fourth category
  }
  for (auto& annotation : set.truth.annotations) annotation.area = annotation.box.w * annotation.box.h;
  const auto by_box = evaluate_coco(set.truth, set.detections);
  CHECK(by_box.of(CocoNumber::ap_small) == Approx(.31416667).margin(5e-9));
  CHECK(by_box.of(CocoNumber::ap_medium) == Approx(.56437798).margin(5e-9));
  CHECK(by_box.of(CocoNumber::ap_large) == Approx(.69842488).margin(5e-9));
  CHECK(by_box.of(CocoNumber::ar_large) == Approx(.97777778).margin(5e-9));
}

TEST_CASE("recall thresholds are products: 57 of 100 found is 57/101", "[metrics]") {
  auto set = single();
  for (int64_t i = 0; i < 100; ++i) {
    const CocoBox box = {static_cast<double>(20 * i), 0, 10, 10};
    set.truth.annotations.push_back(truth_at(i + 1, box));
    if (i < 57) set.detections.push_back({.image = 1, .category = 1, .box = box, .score = .5});
  }
  CHECK(evaluate_coco(set.truth, set.detections).of(CocoNumber::ap) == Approx(57.0 / 101).epsilon(1e-14));
}

TEST_CASE("a crowd takes any number of detections and counts for none; nothing to find is -1", "[metrics]") {
  auto set = single();
  set.truth.annotations = {truth_at(1, {0, 0, 100, 100}, /*crowd=*/true)};
  for (int i = 0; i < 3; ++i)
    set.detections.push_back({.image = 1, .category = 1, .box = {10.0 * i, 10, 10, 10}, .score = .9});
  for (const double number : evaluate_coco(set.truth, set.detections).numbers) CHECK(number == -1);
  set.truth.annotations.push_back(truth_at(2, {200, 200, 50, 50}));
  set.detections.push_back({.image = 1, .category = 1, .box = {200, 200, 50, 50}, .score = .1});
  const auto result = evaluate_coco(set.truth, set.detections);
  CHECK(result.of(CocoNumber::ap) == Approx(1));  // those in the crowd are no mistakes
  CHECK(result.of(CocoNumber::ap_small) == -1);
  CHECK(result.of(CocoNumber::ar_medium) == 1);
}

TEST_CASE("no detections, no truths, detections of a category that is not there", "[metrics]") {
  auto set = single();
  CHECK(evaluate_coco(set.truth, {}).of(CocoNumber::ap) == -1);
  set.truth.annotations = {truth_at(1, {0, 0, 10, 10})};
  CHECK(evaluate_coco(set.truth, {}).of(CocoNumber::ap) == 0);
  set.detections = {{.image = 1, .category = 99, .box = {0, 0, 10, 10}, .score = 1}};
  const auto result = evaluate_coco(set.truth, set.detections);
  CHECK(result.of(CocoNumber::ap) == 0);
  CHECK(result.unknown_categories == 1);
}

TEST_CASE("COCO's files are read, written and read again", "[metrics]") {
  const test::TempFolder folder;
  const auto truth = read_coco_truth(file_with(folder, kTruth));
  REQUIRE(truth.images.size() == 1);
  CHECK(truth.images[0].id == 1);
  CHECK(truth.categories.at(0).name == "cat");
  const auto& annotation = truth.annotations.at(0);
  CHECK(annotation.id == 3);
  CHECK(annotation.box.w == 3.5);
  CHECK(annotation.area == 9.5);
  CHECK(annotation.crowd);
  const std::vector<CocoDetection> written = {{.image = 1, .category = 7, .box = {0.1, 1.0 / 3, 2, 3}, .score = .7},
                                              {.image = 1, .category = 7, .box = {1, 2, 3, 1e-9}, .score = 1}};
  const auto read = read_coco_detections(file_with(folder, coco_detections_json(written)), truth);
  REQUIRE(read.size() == 2);
  CHECK(read[0].box.y == 1.0 / 3);
  CHECK(read[0].score == .7);
  CHECK(read[1].box.h == 1e-9);
  CHECK(read_coco_detections(file_with(folder, coco_detections_json({})), truth).empty());
}

TEST_CASE("what is wrong in a COCO file is refused with its place", "[metrics]") {
  const test::TempFolder folder;
  const auto of_truth = [&](std::string text, const std::string& from, const std::string& to) {
    if (const auto begin = text.find(from); begin != std::string::npos) text.replace(begin, from.size(), to);
    return complaint([&] { read_coco_truth(file_with(folder, text)); });
  };
  struct Case {
    const char *from, *to, *place;
  };
  for (const auto& wrong :
       {Case{"[1, 2, 3.5, 4]", "[1, 2, 3.5]", "/annotations/0/bbox: four numbers"},
        Case{"[1, 2, 3.5, 4]", "[1, 2, 3.5, 4, 5, 6, 7]", "/annotations/0/bbox: four numbers"},
        Case{"[1, 2, 3.5, 4]", "[1, 2, -3.5, 4]", "/annotations/0/bbox: a width"},
        Case{"[1, 2, 3.5, 4]", "[1, 2, \"3\", 4]", "/annotations/0/bbox: a value of another kind"},
        Case{"[1, 2, 3.5, 4]", "{\"x\": 1}", "/annotations/0/bbox: a value of another kind"},
        Case{"[1, 2, 3.5, 4]", "[1, 2, 3.5, NaN]", "byte"}, Case{"[1, 2, 3.5, 4]", "[1, 2, 3.5, 1e999]", "byte"},
        Case{"\"area\": 9.5,", "", "/annotations/0/area: is missing"},
        Case{"\"area\": 9.5", "\"area\": -1", "/annotations/0/area: is below zero"},
        Case{"\"image_id\": 1", "\"image_id\": 2", "/annotations/0/image_id: no image 2"},
        Case{"\"category_id\": 7", "\"category_id\": 8", "/annotations/0/category_id: no category 8"},
        Case{"\"id\": 3", "\"id\": 3.5", "/annotations/0/id: a value of another kind"},
        Case{"{\"id\": 1, \"width\": 9}", "{\"id\": 1}, {\"id\": 1}", "/images/1/id: 1 comes twice"},
        Case{"{\"id\": 1, \"width\": 9}", "5", "/images/0: an object was expected"},
        Case{"{\"id\": 1, \"width\": 9}", "[5]", "/images/0: an object was expected"},
        Case{"\"annotations\"", "\"annotation\"", "no list \"annotations\""},
        Case{"\"info\": {\"year\": 1}", "\"images\": []", "/images: comes twice"},
        Case{"{\"year\": 1}", "[1, [2], {}]", "no complaint"}}) {
    INFO(wrong.from << " -> " << wrong.to);
    CHECK_THAT(of_truth(kTruth, wrong.from, wrong.to), Catch::Matchers::Contains(std::string(wrong.place)));
  }
  const std::string whole = kTruth;
  CHECK_THAT(of_truth(whole.substr(0, whole.size() - 9), "", ""), Catch::Matchers::Contains("byte"));
  CHECK_THAT(of_truth("", "", ""), Catch::Matchers::Contains("byte"));
  CHECK_THAT(of_truth("[]", "", ""), Catch::Matchers::Contains("no list \"images\""));
  CHECK_THAT(of_truth(std::string(100000, '['), "", ""), Catch::Matchers::Contains("nested more than 64 deep"));
  CHECK_THAT(complaint([&] { read_coco_truth(folder.path() / "none.json"); }),
             Catch::Matchers::Contains("cannot be read"));
  const auto truth = read_coco_truth(file_with(folder, kTruth));
  const auto of_detections = [&](const std::string& text) {
    return complaint([&] { read_coco_detections(file_with(folder, text), truth); });
  };
  CHECK_THAT(of_detections(R"([{"image_id": 2, "category_id": 7, "bbox": [0,0,1,1], "score": 1}])"),
             Catch::Matchers::Contains("/0/image_id: the ground truth has no image 2"));
  CHECK_THAT(of_detections(R"([{"image_id": 1, "category_id": 7, "bbox": [0,0,1,1]}])"),
             Catch::Matchers::Contains("/0/score: is missing"));
  CHECK_THAT(of_detections("{}"), Catch::Matchers::Contains("a list of detections"));
}
