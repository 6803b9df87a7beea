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

TEST_CASE("a detection is right at the thresholds that its overlap reaches", "[metrics]") {
  auto set = single();
  set.truth.annotations = {truth_at(1, {0, 0, 100, 100})};
  set.detections = {{.image = 1, .category = 1, .box = {0, 0, 100, 58}, .score = .5}};
  const auto result = evaluate_coco(set.truth, set.detections);
  CHECK(result.of(CocoNumber::ap50) == Approx(1));
  CHECK(result.of(CocoNumber::ap75) == 0);
  CHECK(result.of(CocoNumber::ap) == Approx(.2));
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
        Case{"[1, 2, 3.5, 4]", "[1, 2, 3.5, NaN]", "/annotations/0/bbox: a value of another kind"},
        Case{"[1, 2, 3.5, 4]", "[1, 2, 3.5, nan]", "file.json:2:89: "},
        Case{"[1, 2, 3.5, 4]", "[1, 2, 3.5, 1e999]", "file.json:2:92: number overflow"},
        Case{"\"area\": 9.5", "\"area\": null", "/annotations/0/area: a value of another kind"},
        Case{"\"area\": 9.5", "\"area\": 9.5, \"area\": \"9\"", "/annotations/0/area: a value of another kind"},
        Case{"\"iscrowd\": 1", "\"iscrowd\": \"1\"", "/annotations/0/iscrowd: a value of another kind"},
        Case{"\"year\": 1", "\"year\": 1 2", "file.json:1:"},
        Case{"\"year\": 1", "\"year\": tru", "file.json:1:"},
        Case{"\"area\": 9.5,", "", "/annotations/0/area: is missing"},
        Case{"\"area\": 9.5", "\"area\": -1", "/annotations/0/area: is below zero"},
        Case{"\"image_id\": 1", "\"image_id\": 2", "/annotations/0/image_id: no image 2"},
        Case{"\"category_id\": 7", "\"category_id\": 8", "/annotations/0/category_id: no category 8"},
        Case{"\"id\": 3", "\"id\": 3.5", "/annotations/0/id: a value of another kind"},
        Case{"{\"id\": 1, \"width\": 9}", "{\"id\": 1}, {\"id\": 1}", "/images/1/id: 1 comes twice"},
        Case{"{\"id\": 1, \"width\": 9}", "5", "/images/0: an object was expected"},
        Case{"{\"id\": 1, \"width\": 9}", "[5]", "/images/0: an object was expected"},
        Case{"\"annotations\"", "\"annotation\"", "no list \"annotations\""},
        Case{"[{\"id\": 1, \"width\": 9}]", "{}", "no list \"images\""},
        Case{"{\"year\": 1}", "[1, [2], {}]", "no complaint"}}) {
    INFO(wrong.from << " -> " << wrong.to);
    CHECK_THAT(of_truth(kTruth, wrong.from, wrong.to), contains_text(std::string(wrong.place)));
  }
  const std::string whole = kTruth;
  CHECK_THAT(of_truth(whole.substr(0, whole.size() - 9), "", ""), contains_text("file.json:3:"));
  CHECK_THAT(of_truth("", "", ""), contains_text("file.json:1:1: "));
  CHECK_THAT(of_truth(whole + "x", "", ""), contains_text("file.json:3:"));
  CHECK_THAT(of_truth(whole + std::string(1, '\0'), "", ""), contains_text(": a NUL byte"));
  CHECK_THAT(of_truth(whole + std::string(1, '\0') + "{}", "", ""), contains_text(": a NUL byte"));
  CHECK_THAT(of_truth("[]", "", ""), contains_text("no list \"images\""));
  const auto nested = [&](size_t depth) {
    return of_truth(whole, "{\"year\": 1}", std::string(depth, '[') + "1" + std::string(depth, ']'));
  };
  CHECK(nested(63) == "no complaint");
  CHECK_THAT(nested(64), contains_text("nested more than 64 deep"));
  CHECK_THAT(nested(100000), contains_text("nested more than 64 deep"));
  CHECK_THAT(of_truth(std::string(100000, '['), "", ""), contains_text("file.json:1:100001: "));
  CHECK(of_truth("\xEF\xBB\xBF" + whole, "", "") == "no complaint");
  CHECK_THAT(of_truth(whole, "\"cat\"", "\"" + std::string(1 << 20, 'c')), contains_text("file.json:1:"));
  CHECK_THAT(complaint([&] { read_coco_truth(folder.path() / "none.json"); }), contains_text("cannot be read"));
  const auto truth = read_coco_truth(file_with(folder, kTruth));
  const auto of_detections = [&](const std::string& text) {
    return complaint([&] { read_coco_detections(file_with(folder, text), truth); });
  };
  CHECK_THAT(of_detections(R"([{"image_id": 2, "category_id": 7, "bbox": [0,0,1,1], "score": 1}])"),
             contains_text("/0/image_id: the ground truth has no image 2"));
  CHECK_THAT(of_detections(R"([{"image_id": 1, "category_id": 7, "bbox": [0,0,1,1]}])"),
             contains_text("/0/score: is missing"));
  CHECK_THAT(of_detections("{}"), contains_text("a list of detections"));
}

TEST_CASE("a COCO file is as long in a message as it has to be", "[metrics]") {
  const test::TempFolder folder;
  const auto message = complaint([&] { read_coco_truth(file_with(folder, "\"" + std::string(1 << 20, 'c'))); });
  CHECK(message.size() < 400 + folder.path().string().size());
}

// What evaluation does not need may be anything that Python's json module reads; of one key twice the later counts.
TEST_CASE("COCO files are read as pycocotools reads them", "[metrics]") {
  const test::TempFolder folder;
  const auto truth = read_coco_truth(file_with(folder, R"({
    "images": "first", "licenses": null,
    "images": [{"id": 1, "width": null, "height": 0, "file_name": null}, {"id": 2.0, "width": 640.0, "height": -7},
               {"id": 3, "width": 1e300, "height": NaN, "date_captured": -Infinity, "coco_url": 5}],
    "categories": [{"id": 7, "name": null, "supercategory": 3}, {"id": 8, "name": ["x"]}, {"id": 9, "name": "c\u0061t"}],
    "annotations": [{"id": 3, "image_id": 1.0, "c\u0061tegory_id": 7, "bbox": [1, 2, 3.5, 4], "area": "x", "area": 9,
                     "score": null, "segmentation": NaN, "iscrowd": false},
                    {"id": 4, "image_id": 2, "category_id": 9, "bbox": [], "bbox": [0, 0, 1, 1],
                     "area": 123456789012345678901234567890, "iscrowd": 2.0, "iscrowd": 1}]})"));
  REQUIRE(truth.images.size() == 3);
  CHECK(truth.images[0].file.empty());
  CHECK(truth.images[0].width == 0);
  CHECK(truth.images[1].id == 2);
  CHECK(truth.images[1].width == 640);
  CHECK(truth.images[1].height == -7);
  CHECK(truth.images[2].width == 0);
  CHECK(truth.categories.at(0).name == "7");
  CHECK(truth.categories.at(1).name == "8");
  CHECK(truth.categories.at(2).name == "cat");
  CHECK(truth.annotations.at(0).area == 9);
  CHECK(truth.annotations.at(0).category == 7);
  CHECK_FALSE(truth.annotations.at(0).crowd);
  CHECK(truth.annotations.at(1).area == 123456789012345678901234567890.0);
  CHECK(truth.annotations.at(1).box.w == 1);
  CHECK(truth.annotations.at(1).crowd);
  const auto detections = read_coco_detections(file_with(folder, R"([
    {"id": "uuid", "image_id": 1, "category_id": 7, "bbox": [0, 0, 1, 1], "score": "x", "score": 0.5, "area": null},
    {"id": 123456789012345678901234567890, "image_id": 2, "category_id": 99, "bbox": [0, 0, 1, 1], "score": 1,
     "area": NaN, "iscrowd": null, "segmentation": "a \" NaN, Infinity"}])"),
                                               truth);
  REQUIRE(detections.size() == 2);
  CHECK(detections[0].score == 0.5);
  CHECK(detections[1].category == 99);
}

TEST_CASE("COCO's numbers do not depend on how the ids lie, and the largest areas are numbers too", "[metrics]") {
  const auto set = golden_set();
  const auto wanted = evaluate_coco(set.truth, set.detections).numbers;
  for (const int64_t factor : {int64_t{1} << 20, int64_t{-1} << 55}) {
    auto moved = set;
    const auto move = [&](int64_t& id) { id = factor < 0 ? factor * (13 - id) : factor * id; };
    for (auto& image : moved.truth.images) move(image.id);
    for (auto& annotation : moved.truth.annotations) move(annotation.image);
    for (auto& detection : moved.detections) move(detection.image);
    CHECK(evaluate_coco(moved.truth, moved.detections).numbers == wanted);
  }
  auto huge = single();  // the union of their areas overflows: no number, and so below no threshold
  huge.truth.annotations = {truth_at(1, {0, 0, 1e200, 1e200})};
  huge.truth.annotations[0].area = 100;
  huge.detections = {{.image = 1, .category = 1, .box = {0, 0, 1e200, 1e200}, .score = 1}};
  CHECK(evaluate_coco(huge.truth, huge.detections).of(CocoNumber::ap) == Approx(1));
}
