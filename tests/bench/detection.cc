// What detection is timed on: the same boxes in C++ and in Python, raw outputs that ask of post-processing what they say.
#include <algorithm>
#include <cmath>

#include "runner/bench/box_work.h"
#include "runner/bench/raw_outputs.h"
#include "runner/bench/regular_boxes.h"
#include "tests/support/catch.h"

using namespace auxbench;
using namespace auxbench::bench;

namespace {

const DetectorRules& rules() { return detector_rules("retinanet", "detectron2"); }
constexpr Extent kPadded = {.height = 256, .width = 448};
constexpr int64_t kClasses = 20;

// Of a level: logits that are a score above the threshold.
size_t candidates(const RawOutputs::Level& level) {
  const float least = std::log(rules().decode.score / (1 - rules().decode.score));
  return static_cast<size_t>(
      std::count_if(level.classes.begin(), level.classes.end(), [&](float logit) { return logit > least; }));
}

// As many as are kept, less a few that lie outside the image and go.
bool is_all_that_is_kept(size_t boxes) { return boxes <= rules().decode.most && boxes > rules().decode.most * 9 / 10; }

}  // namespace

TEST_CASE("regular boxes lie in the image, have an area and are those of scripts/regular_boxes.py", "[bench]") {
  for (int64_t image = 0; image < 50; ++image)
    for (const auto& box : regular_boxes(image, 320, 80)) {
      INFO("image " << image);
      CHECK((box.x0 >= 0 && box.y0 >= 0 && box.x1 <= 320 && box.y1 <= 320));
      CHECK((box.x1 - box.x0 >= 13 && box.y1 - box.y0 >= 26));
      CHECK((box.label >= 0 && box.label < 80));
    }
  // tests/scripts/bench_detection.sh has the same numbers.
  const auto boxes = regular_boxes(1, 320, 80);
  REQUIRE(boxes.size() == 7);
  CHECK(boxes[0] == TruthBox{289.57675F, 8.32512F, 302.91008F, 114.991783F, 8});
  CHECK(boxes[6] == TruthBox{147.89456F, 166.69899F, 241.22789F, 193.36565F, 14});
}

TEST_CASE("a crowded picture has thousands of candidates and as many boxes as are kept", "[bench]") {
  const auto outputs = crowded_outputs(rules(), kPadded, kClasses, 1);
  REQUIRE(outputs.levels.size() == 5);
  size_t all = 0;
  for (const auto& level : outputs.levels) all += candidates(level);
  CHECK(all > 2000);
  CHECK(all <= 3000);
  CHECK(is_all_that_is_kept(find_boxes(rules(), outputs.predictions(), kPadded, kPadded).size()));
}

TEST_CASE("full outputs have more candidates on every level than it may keep", "[bench]") {
  const auto outputs = full_outputs(rules(), {.height = 800, .width = 1344}, 80, 1);
  REQUIRE(outputs.levels.size() == 5);
  for (const auto& level : outputs.levels) {
    INFO("level " << level.grid.level);
    CHECK(candidates(level) > rules().decode.level_most);
  }
}

TEST_CASE("work on boxes beside a network: its share of both together, repetition by repetition", "[bench]") {
  const BoxWork work({.height = 250, .width = 416}, kPadded, kClasses, 1);
  const auto contestants = work.contestants();
  REQUIRE(contestants.size() == 2);
  CHECK(contestants[0].name == "boxes-crowded");
  CHECK(contestants[1].name == "boxes-full");
  for (const auto& contestant : contestants) CHECK(contestant.pass() > 0);
  const auto found = work.beside({0.9, 0.8, 3}, {{0.1, 0.2, 1}, {0.9, 0.8, 3}});
  CHECK(found["crowded"]["share"] == nlohmann::json({{"q25", 0.2}, {"median", 0.2}, {"q75", 0.25}}));
  CHECK(found["crowded"]["us"]["median"] == 200000);
  CHECK(found["full"]["share"]["median"] == 0.5);
  CHECK(is_all_that_is_kept(found["crowded"]["found"].get<size_t>()));
}
