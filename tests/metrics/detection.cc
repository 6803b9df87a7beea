// Anchors, matching, coding and post-processing of detectors, on numbers made by hand and against plain slow code.
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "base/check.h"
#include "base/random.h"
#include "metrics/coco_eval.h"
#include "metrics/detection/coder.h"
#include "metrics/detection/matcher.h"
#include "metrics/detection/postprocess.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();

bool near(const Corners& found, const Corners& wanted, float within = 1e-4F) {
  return std::abs(found.x0 - wanted.x0) <= within && std::abs(found.y0 - wanted.y0) <= within &&
         std::abs(found.x1 - wanted.x1) <= within && std::abs(found.y1 - wanted.y1) <= within;
}

const AnchorRules& anchors_of(const char* kind, const char* flavour) { return detector_rules(kind, flavour).anchors; }

// One square of eight pixels at each place, side by side: centres at 0, 8, 16 ...
AnchorRules tiles() { return {.strides = 1, .sizes = 1, .ratios = {1}}; }

std::vector<LevelAnchors> tiled(int64_t height, int64_t width) {
  const LevelGrid grid = {.level = 3, .height = height, .width = width};
  return {LevelAnchors(tiles(), grid, padded_extent(grid))};
}

}  // namespace

TEST_CASE("RetinaNet's anchors stand size by size in one flavour, ratio by ratio and rounded in the other",
          "[metrics]") {
  const LevelGrid grid = {.level = 3, .height = 2, .width = 3};
  const LevelAnchors exact(anchors_of("retinanet", "detectron2"), grid, padded_extent(grid));
  REQUIRE(exact.a_place() == 9);
  CHECK(near(exact.at(0, 0), {-22.627417F, -11.313708F, 22.627417F, 11.313708F}, 1e-6F));
  CHECK(near(exact.at(0, 1), {-16, -16, 16, 16}, 0));
  CHECK(near(exact.at(0, 2), {-11.313708F, -22.627417F, 11.313708F, 22.627417F}, 1e-6F));
  CHECK(near(exact.at(0, 4), {-20.158737F, -20.158737F, 20.158737F, 20.158737F}, 1e-5F));
  CHECK(near(exact.at(0, 7), {-25.398417F, -25.398417F, 25.398417F, 25.398417F}, 1e-5F));
  const LevelAnchors rounded(anchors_of("retinanet", "torchvision"), grid, padded_extent(grid));
  const std::vector<Corners> cell = {{-23, -11, 23, 11}, {-28, -14, 28, 14}, {-35, -18, 35, 18},
                                     {-16, -16, 16, 16}, {-20, -20, 20, 20}, {-25, -25, 25, 25},
                                     {-11, -23, 11, 23}, {-14, -28, 14, 28}, {-18, -35, 18, 35}};
  for (size_t a = 0; a < 9; ++a) CHECK(rounded.at(0, a) == cell[a]);
  CHECK(rounded.at(5, 3) == Corners{0, -8, 32, 24});  // row 1, column 2
  CHECK(rounded.all()[5 * 9 + 3] == rounded.at(5, 3));
  CHECK(rounded.all().size() == 54);
}

TEST_CASE("a coarse level's stride is two's power in one flavour, that of its grid in the other", "[metrics]") {
  // 800 x 1333 padded: P6 has 13 rows over 800 pixels.
  const LevelGrid p6 = {.level = 6, .height = 13, .width = 21};
  const Extent padded = {.height = 800, .width = 1344};
  CHECK(padded_extent({.level = 3, .height = 100, .width = 168}) == padded);
  const LevelAnchors exact(anchors_of("retinanet", "detectron2"), p6, padded);
  const LevelAnchors rounded(anchors_of("retinanet", "torchvision"), p6, padded);
  CHECK(exact.at(12 * 21 + 20, 1) == Corners{20 * 64 - 128, 12 * 64 - 128, 20 * 64 + 128, 12 * 64 + 128});
  CHECK(rounded.at(12 * 21 + 20, 3) == Corners{20 * 64 - 128, 12 * 61 - 128, 20 * 64 + 128, 12 * 61 + 128});
}

TEST_CASE("beyond the places over a box no anchor overlaps it", "[metrics]") {
  RandomStream random(5);
  for (const char* flavour : {"detectron2", "torchvision"}) {
    for (const auto& grid : {LevelGrid{3, 20, 30}, LevelGrid{5, 5, 8}, LevelGrid{7, 2, 2}}) {
      const LevelAnchors anchors(anchors_of("retinanet", flavour), grid, Extent{160, 240});
      for (int i = 0; i < 50; ++i) {
        const auto side = [&](uint64_t most) { return static_cast<float>(random.below(most)); };
        const float x = side(500) - 130, y = side(400) - 120;
        const Corners box = {x, y, x + side(90), y + side(200)};
        const auto range = anchors.over(box);
        bool beyond = false;
        for (int64_t place = 0; place < grid.height * grid.width; ++place) {
          const auto row = place / grid.width, column = place % grid.width;
          const bool inside = row >= range.y0 && row < range.y1 && column >= range.x0 && column < range.x1;
          for (size_t a = 0; a < anchors.a_place() && !inside; ++a)
            beyond = beyond || iou_of(box, anchors.at(static_cast<size_t>(place), a)) > 0;
        }
        CHECK_FALSE(beyond);
      }
    }
    const LevelAnchors fine(anchors_of("retinanet", flavour), LevelGrid{3, 100, 168}, Extent{800, 1344});
    const auto range = fine.over({400, 400, 416, 416});
    CHECK((range.y1 - range.y0) * (range.x1 - range.x0) < 300);  // of 16,800
    for (const float bad : {kNan, kInf}) {
      const auto none = fine.over({0, 0, bad, 8});
      CHECK((none.y1 - none.y0) * (none.x1 - none.x0) == 0);
    }
    const auto everywhere = fine.over({-3e38F, -3e38F, 3e38F, 3e38F});
    CHECK((everywhere.y1 - everywhere.y0) * (everywhere.x1 - everywhere.x0) == 16800);
  }
}

TEST_CASE("FCOS has one location a place, half a stride inside in one flavour", "[metrics]") {
  const LevelGrid grid = {.level = 4, .height = 2, .width = 2};
  const LevelAnchors half(anchors_of("fcos", "detectron2"), grid, padded_extent(grid));
  const LevelAnchors corner(anchors_of("fcos", "torchvision"), grid, padded_extent(grid));
  CHECK(half.a_place() == 1);
  CHECK(half.at(3, 0) == Corners{16, 16, 32, 32});
  CHECK(corner.at(3, 0) == Corners{8, 8, 24, 24});
}

TEST_CASE("an anchor is positive from .5, ignored from .4 and background below", "[metrics]") {
  const MatchRules rules;
  const std::vector<Corners> truths = {{4, 4, 19, 12}};  // IoU .533 and .4375 with the tiles at 8 and 16
  const auto owner = match_anchors(rules, tiled(2, 4), truths);
  CHECK(owner == std::vector<int32_t>{-1, -1, -1, -1, -1, 0, kIgnored, -1});
}

TEST_CASE("a truth's best anchors are its own however little they overlap, ties too", "[metrics]") {
  const std::vector<Corners> thin = {{11, 4, 13, 12}};  // IoU 1/9 with two tiles
  CHECK(match_anchors({}, tiled(2, 4), thin) == std::vector<int32_t>{-1, -1, -1, -1, -1, 0, 0, -1});
}

TEST_CASE("an anchor belongs to the truth it overlaps most, of equal ones the first, even where another forces it",
          "[metrics]") {
  const std::vector<Corners> twins = {{4, 4, 12, 12}, {4, 4, 12, 12}};
  CHECK(match_anchors({}, tiled(2, 2), twins) == std::vector<int32_t>{-1, -1, -1, 0});
  // The second's best anchor is the first's: it finds none of its own.
  const std::vector<Corners> pair = {{4, 4, 12, 12}, {6, 6, 10, 10}};
  CHECK(match_anchors({}, tiled(2, 2), pair) == std::vector<int32_t>{-1, -1, -1, 0});
}

TEST_CASE("no truths, truths without area or outside, and more truths than anchors have a defined match", "[metrics]") {
  const auto grid = tiled(1, 2);
  CHECK(match_anchors({}, grid, {}) == std::vector<int32_t>{-1, -1});
  const std::vector<Corners> nothing = {{3, 3, 3, 3}, {100, 100, 108, 108}};
  CHECK(match_anchors({}, grid, nothing) == std::vector<int32_t>{-1, -1});
  std::vector<Corners> many(50, Corners{4, -4, 12, 4});
  many.push_back({-4, -4, 4, 4});
  CHECK(match_anchors({}, grid, many) == std::vector<int32_t>{50, 0});
  // All anchors ignored: the truth whose anchor this would be lies on another's.
  const std::vector<Corners> between = {{-4, -4, 11, 4}};
  CHECK(match_anchors({.negative = 0.4F, .positive = 0.6F}, tiled(1, 2), between) == std::vector<int32_t>{0, kIgnored});
}

TEST_CASE("the matching of many anchors is that of plain code", "[metrics]") {
  RandomStream random(7);
  const auto& rules = detector_rules("retinanet", "detectron2");
  std::vector<LevelAnchors> levels;
  std::vector<Corners> anchors, truths;
  for (const auto& grid : {LevelGrid{3, 12, 16}, LevelGrid{4, 6, 8}, LevelGrid{5, 3, 4}, LevelGrid{6, 2, 2}}) {
    levels.emplace_back(rules.anchors, grid, Extent{96, 128});
    for (const auto& anchor : levels.back().all()) anchors.push_back(anchor);
  }
  for (int i = 0; i < 12; ++i) {
    const auto x = static_cast<float>(random.below(100)), y = static_cast<float>(random.below(70));
    truths.push_back(
        {x, y, x + 4 + static_cast<float>(random.below(60)), y + 4 + static_cast<float>(random.below(60))});
  }
  std::vector<int32_t> plain;
  for (const auto& anchor : anchors) {
    int32_t best = 0;
    bool forced = false;
    for (size_t t = 0; t < truths.size(); ++t) {
      if (iou_of(truths[t], anchor) > iou_of(truths[static_cast<size_t>(best)], anchor)) best = static_cast<int32_t>(t);
      float most = 0;
      for (const auto& other : anchors) most = std::max(most, iou_of(truths[t], other));
      forced = forced || iou_of(truths[t], anchor) == most;
    }
    const float overlap = iou_of(truths[static_cast<size_t>(best)], anchor);
    plain.push_back(forced || overlap >= 0.5F ? best : overlap >= 0.4F ? kIgnored : kBackground);
  }
  CHECK(match_anchors(rules.match, levels, truths) == plain);
  CHECK(std::count(plain.begin(), plain.end(), kIgnored) > 0);
}

TEST_CASE("a location answers for the smallest box around it whose centre is near and whose size is its level's",
          "[metrics]") {
  const auto& rules = detector_rules("fcos", "detectron2");
  std::vector<LevelAnchors> levels;
  for (const auto& grid : {LevelGrid{3, 8, 8}, LevelGrid{4, 4, 4}})
    levels.emplace_back(rules.anchors, grid, Extent{64, 64});
  const auto match = [&](const std::vector<Corners>& truths) { return match_anchors(rules.match, levels, truths); };
  // Locations at 4, 12, 20 ... lie within 12 pixels of the centre (12, 12).
  const auto owner = match({{0, 0, 24, 24}});
  for (size_t y = 0; y < 8; ++y)
    for (size_t x = 0; x < 8; ++x) CHECK(owner[8 * y + x] == (x < 3 && y < 3 ? 0 : kBackground));
  for (size_t i = 64; i < 80; ++i) CHECK(owner[i] == kBackground);
  // Of two around one location the smaller; of equal ones the first.
  CHECK(match({{0, 0, 24, 24}, {8, 8, 16, 16}})[9] == 1);
  CHECK(match({{8, 8, 16, 16}, {0, 0, 24, 24}})[9] == 0);
  CHECK(match({{8, 8, 16, 16}, {8, 8, 16, 16}})[9] == 0);
  // A side of 64 pixels and more is the coarse level's, which has no upper end: none where it is 64 exactly.
  CHECK(match({{-28, 0, 83, 24}})[10] == 0);  // at 20: 63 to the right
  CHECK(match({{-28, 0, 84, 24}})[10] == kBackground);
  CHECK(match({{-40, -40, 104, 104}})[64 + 5] == 0);  // at 24: 80
  CHECK(match({})[0] == kBackground);
  CHECK(match({{12, 12, 12, 12}})[9] == kBackground);  // no location lies inside of a point
}

TEST_CASE("boxes are coded by centre and size or by sides, and decoded to what they were", "[metrics]") {
  const Corners anchor = {0, 0, 10, 20}, box = {5, 0, 25, 40};
  const auto deltas = encode_deltas<double>(anchor, box);
  CHECK(deltas[0] == 1.0);
  CHECK(deltas[1] == 0.5);
  CHECK(deltas[2] == std::log(2.0));
  CHECK(deltas[3] == std::log(2.0));
  CHECK(near(decode_deltas(anchor, encode_deltas<float>(anchor, box)), box, 1e-5F));
  // dw is cut off at log(62.5), dx is not.
  CHECK(near(decode_deltas(anchor, {100, 0, 10, -kInf}), {1005 - 312.5F, 10, 1005 + 312.5F, 10}, 1e-3F));
  const auto sides = encode_sides<double>({4, 4, 12, 12}, {6, 0, 16, 12});
  CHECK(sides == std::array<double, 4>{0.25, 1, 1, 0.5});
  CHECK(decode_sides({4, 4, 12, 12}, {0.25F, 1, 1, 0.5F}) == Corners{6, 0, 16, 12});
  CHECK(decode_sides({4, 4, 12, 12}, {-3, 1, 1, -0.5F}) == Corners{8, 0, 16, 8});  // behind a ReLU
  CHECK(centreness_of<double>(sides) == std::sqrt(0.25 * 0.5));
  CHECK(centreness_of<double>({2, 2, 2, 2}) == 1);
}

namespace {

float logit(double p) { return static_cast<float>(std::log(p / (1 - p))); }

// Two places, one anchor (a square of eight pixels), three classes.
DetectorRules small_rules() {
  DetectorRules rules;
  rules.anchors = tiles();
  return rules;
}

struct Outputs {
  LevelGrid grid;
  std::vector<float> classes, boxes, centreness;
  [[nodiscard]] LevelPrediction view() const { return {grid, classes, boxes, centreness}; }
};

Outputs two_places() {
  Outputs made = {.grid = {.level = 3, .height = 1, .width = 2},
                  .classes = std::vector<float>(6, logit(0.01)),
                  .boxes = std::vector<float>(8, 0.0F)};
  return made;
}

std::vector<Detection> boxes_of(const DetectorRules& rules, const Outputs& outputs, const Extent& image = {8, 16},
                                const Extent& file = {8, 16}) {
  const auto view = outputs.view();
  return find_boxes(rules, {&view, 1}, image, file);
}

}  // namespace

TEST_CASE("classes above the threshold become boxes in the file's pixels, best first", "[metrics]") {
  auto outputs = two_places();
  outputs.classes[2 * 2 + 0] = logit(0.6);  // class 2 at the first place
  outputs.classes[0 * 2 + 1] = logit(0.9);  // class 0 at the second
  outputs.classes[1 * 2 + 1] = logit(0.04);
  const auto found = boxes_of(small_rules(), outputs, {8, 16}, {16, 64});
  REQUIRE(found.size() == 2);
  CHECK(found[0].label == 0);
  CHECK(found[0].score == Approx(0.9));
  CHECK(found[0].box == Corners{16, 0, 48, 8});  // 4 0 12 4 cut off at the image, by 4 and 2
  CHECK(found[1].label == 2);
  CHECK(found[1].box == Corners{0, 0, 16, 8});
}

TEST_CASE("boxes of one class suppress each other, those of other classes do not", "[metrics]") {
  auto outputs = two_places();
  outputs.boxes[1] = -1;  // the second place's dx: one anchor to the left, onto the first's
  outputs.classes[0] = logit(0.8);
  outputs.classes[1] = logit(0.7);
  outputs.classes[3] = logit(0.6);
  const auto found = boxes_of(small_rules(), outputs);
  REQUIRE(found.size() == 2);
  CHECK(found[0].label == 0);
  CHECK(found[1].label == 1);
  CHECK(found[0].box == found[1].box);
}

TEST_CASE("equal scores are taken by place, anchor and class", "[metrics]") {
  auto outputs = two_places();
  for (auto& value : outputs.classes) value = logit(0.5);
  auto rules = small_rules();
  rules.decode.level_most = 4;
  const auto found = boxes_of(rules, outputs);
  REQUIRE(found.size() == 4);
  for (int32_t i = 0; i < 3; ++i) CHECK(found[static_cast<size_t>(i)].label == i);
  CHECK(found[0].box.x0 == 0);
  CHECK(found[3].box.x0 == 4);
  rules.decode.most = 2;
  CHECK(boxes_of(rules, outputs).size() == 2);
}

TEST_CASE("outputs that are no numbers make no box, an infinite logit does", "[metrics]") {
  auto outputs = two_places();
  outputs.classes[0] = kNan;
  outputs.classes[1] = kInf;
  auto found = boxes_of(small_rules(), outputs);
  REQUIRE(found.size() == 1);
  CHECK(found[0].score == 1);
  for (const float bad : {kNan, kInf}) {
    outputs.boxes[1] = bad;  // dx of the only box
    CHECK(boxes_of(small_rules(), outputs).empty());
  }
}

TEST_CASE("a box outside the image has no area and goes in one flavour, stays in the other", "[metrics]") {
  auto outputs = two_places();
  outputs.classes[0] = logit(0.8);
  outputs.boxes[0] = -3;  // dx: 24 pixels to the left
  auto rules = small_rules();
  CHECK(boxes_of(rules, outputs).size() == 1);
  rules.decode.drop_empty = true;
  CHECK(boxes_of(rules, outputs).empty());
}

TEST_CASE("centre-ness weighs a location's classes", "[metrics]") {
  auto rules = small_rules();
  rules.match.points = true;
  rules.decode.score = 0.2F;
  auto outputs = two_places();
  for (auto& side : outputs.boxes) side = 0.5F;
  outputs.centreness = {logit(0.9), logit(0.01)};
  outputs.classes[0] = logit(0.4);
  outputs.classes[1] = logit(0.9);
  const auto found = boxes_of(rules, outputs);
  REQUIRE(found.size() == 1);  // sqrt(.9 * .01) is below .2
  CHECK(found[0].score == Approx(0.6));
  CHECK(found[0].box == Corners{0, 0, 4, 4});
}

namespace {

// Everything at once and in the plainest way: all scores, one sort a level, every pair of boxes.
std::vector<Detection> plain_boxes(const DetectorRules& rules, const std::vector<Outputs>& levels, const Extent& image,
                                   const Extent& file) {
  struct Box {
    Corners corners;
    float score;
    int32_t label;
  };
  std::vector<Box> all, kept;
  const auto padded = padded_extent(levels.front().grid);
  for (const auto& level : levels) {
    const LevelAnchors anchors(rules.anchors, level.grid, padded);
    const size_t places = level.grid.places(), a_place = anchors.a_place();
    const size_t classes = level.classes.size() / places / a_place;
    std::vector<std::pair<float, Box>> found;
    for (size_t place = 0; place < places; ++place)
      for (size_t a = 0; a < a_place; ++a)
        for (size_t k = 0; k < classes; ++k) {
          float score = 1.0F / (1.0F + std::exp(-level.classes[(a * classes + k) * places + place]));
          if (!level.centreness.empty())
            score = std::sqrt(score * (1.0F / (1.0F + std::exp(-level.centreness[place]))));
          std::array<float, 4> code;
          for (size_t i = 0; i < 4; ++i) code[i] = level.boxes[(4 * a + i) * places + place];
          auto box =
              rules.match.points ? decode_sides(anchors.at(place, a), code) : decode_deltas(anchors.at(place, a), code);
          if (rules.decode.clip_first) box = clipped(box, image);
          if (score > rules.decode.score) found.push_back({-score, {box, score, static_cast<int32_t>(k)}});
        }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (size_t i = 0; i < std::min(found.size(), rules.decode.level_most); ++i) all.push_back(found[i].second);
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  std::vector<Detection> detections;
  for (const auto& box : all) {
    bool free = kept.size() < rules.decode.most;
    for (const auto& other : kept)
      free = free && (other.label != box.label || iou_of(other.corners, box.corners) <= rules.decode.nms);
    if (!free) continue;
    kept.push_back(box);
    const float sx = static_cast<float>(file.width) / static_cast<float>(image.width);
    const float sy = static_cast<float>(file.height) / static_cast<float>(image.height);
    const auto& c = box.corners;
    const auto in_file = clipped({c.x0 * sx, c.y0 * sy, c.x1 * sx, c.y1 * sy}, file);
    if (rules.decode.drop_empty && (in_file.x1 <= in_file.x0 || in_file.y1 <= in_file.y0)) continue;
    detections.push_back({box.label, box.score, in_file});
  }
  return detections;
}

}  // namespace

TEST_CASE("the boxes of every detector are those of plain code, to the last bit", "[metrics]") {
  for (const char* kind : {"retinanet", "fcos"}) {
    for (const char* flavour : {"detectron2", "torchvision"}) {
      INFO(kind << " " << flavour);
      auto rules = detector_rules(kind, flavour);
      rules.decode.level_most = 60;
      RandomStream random(11);
      const auto noise = [&](double from, double to) {
        return static_cast<float>(from + random.uniform() * (to - from));
      };
      std::vector<Outputs> levels;
      std::vector<LevelPrediction> views;
      for (const auto& grid : {LevelGrid{3, 8, 12}, LevelGrid{4, 4, 6}, LevelGrid{5, 2, 3}, LevelGrid{6, 1, 2}}) {
        Outputs level = {.grid = grid};
        const size_t places = grid.places(), anchors = rules.anchors_a_place();
        for (size_t i = 0; i < places * anchors * 4; ++i) {
          // Few values, so that scores are equal here and there.
          level.classes.push_back(std::round(noise(-6, 3) * 4) / 4);
          level.boxes.push_back(noise(-1, 1.5));
        }
        if (rules.match.points)
          for (size_t i = 0; i < places; ++i) level.centreness.push_back(std::round(noise(-2, 2) * 4) / 4);
        levels.push_back(std::move(level));
      }
      for (const auto& level : levels) views.push_back(level.view());
      const Extent image = {60, 90}, file = {80, 121};
      const auto found = find_boxes(rules, views, image, file);
      CHECK(found.size() > 20);
      CHECK(found == plain_boxes(rules, levels, image, file));
      // The same outputs with their channels last.
      std::vector<Outputs> turned;
      for (const auto& level : levels) {
        Outputs last = {.grid = level.grid, .centreness = level.centreness};
        const size_t places = level.grid.places();
        for (size_t place = 0; place < places; ++place) {
          for (size_t i = place; i < level.classes.size(); i += places) last.classes.push_back(level.classes[i]);
          for (size_t i = place; i < level.boxes.size(); i += places) last.boxes.push_back(level.boxes[i]);
        }
        turned.push_back(std::move(last));
      }
      for (size_t i = 0; i < views.size(); ++i) {
        views[i] = turned[i].view();
        views[i].channels_last = true;
      }
      CHECK(find_boxes(rules, views, image, file) == found);
    }
  }
}

TEST_CASE("outputs of a size that is not their level's are our fault", "[metrics]") {
  auto outputs = two_places();
  outputs.boxes.pop_back();
  CHECK_THROWS_AS(boxes_of(small_rules(), outputs), LogicFault);
  CHECK_THROWS_AS(detector_rules("yolo", "detectron2"), LogicFault);
}

TEST_CASE("boxes by chance have an AP50 far below the one per cent that a detector must pass", "[metrics]") {
  // Scenes of 160 pixels with one to six things of ten classes, and a hundred boxes like them, anywhere, on each.
  RandomStream random(3);
  const auto box = [&] {
    const double w = 16 + random.uniform() * 64, h = 16 + random.uniform() * 64;
    return CocoBox{random.uniform() * (160 - w), random.uniform() * (160 - h), w, h};
  };
  CocoTruth truth;
  std::vector<CocoDetection> found;
  for (int64_t k = 0; k < 10; ++k) truth.categories.push_back({k, "thing"});
  for (int64_t image = 0; image < 200; ++image) {
    truth.images.push_back({.id = image, .width = 160, .height = 160});
    for (uint64_t i = 0; i <= random.below(6); ++i) {
      const auto wanted = box();
      truth.annotations.push_back({.id = std::ssize(truth.annotations) + 1,
                                   .image = image,
                                   .category = static_cast<int64_t>(random.below(10)),
                                   .box = wanted,
                                   .area = wanted.w * wanted.h});
    }
    for (int i = 0; i < 100; ++i)
      found.push_back({image, static_cast<int64_t>(random.below(10)), box(), random.uniform()});
  }
  const double ap50 = evaluate_coco(truth, found).of(CocoNumber::ap50);
  CHECK(ap50 > 0);
  CHECK(ap50 < 0.005);
}
