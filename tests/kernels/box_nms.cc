// Every kernel against the reference, in every index; what is defined for odd boxes by hand.
#include "kernels/box_nms/box_nms.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "base/check.h"
#include "kernels/box_nms/kernel.h"
#include "kernels/box_nms/reference.h"
#include "tests/support/catch.h"

using namespace auxbench;
using namespace auxbench::box_nms;

namespace {

constexpr size_t kAll = std::numeric_limits<size_t>::max();
constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNone = std::numeric_limits<float>::quiet_NaN();

using Indices = std::vector<uint32_t>;

struct Problem {
  std::vector<float> corners, scores;
  std::vector<int32_t> classes;

  void add(const std::vector<float>& box, float score, int32_t label) {
    corners.insert(corners.end(), box.begin(), box.end());
    scores.push_back(score);
    classes.push_back(label);
  }
  [[nodiscard]] Boxes boxes() const { return {corners, scores, classes}; }
};

// The same from every kernel that this processor runs, and from the reference.
Indices kept(const Boxes& boxes, float threshold, size_t most = kAll) {
  const auto expected = reference(boxes, threshold, most);
  for (const auto* kernel : all_kernels()) {
    if (!kernel->runs_on(this_isa())) continue;
    INFO(kernel->name);
    REQUIRE(nms_with(*kernel, boxes, threshold, most) == expected);
  }
  return expected;
}

class Chance {
 public:
  explicit Chance(uint64_t seed) : generator_(seed) {}
  int64_t between(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(generator_);
  }
  float number(float least, float most) { return std::uniform_real_distribution<float>(least, most)(generator_); }

 private:
  std::mt19937_64 generator_;
};

// Crowds around a few places; whole corners and few scores give exact ties and overlaps of exactly a half.
Problem crowd(Chance& chance) {
  Problem problem;
  const bool whole = chance.between(0, 1) == 0;
  const int64_t count = chance.between(0, 400), labels = chance.between(1, 6), places = chance.between(1, 20);
  const auto far = static_cast<int32_t>(chance.between(0, 1) == 0 ? 1 : 700'000'000);
  const auto number = [&](float least, float most) {
    const float found = chance.number(least, most);
    return whole ? std::round(found / 4) : found;
  };
  std::vector<float> x, y;
  for (int64_t i = 0; i < places; ++i) {
    x.push_back(number(0, 200));
    y.push_back(number(0, 200));
  }
  for (int64_t i = 0; i < count; ++i) {
    const auto place = static_cast<size_t>(chance.between(0, places - 1));
    const float x0 = x[place] + number(-10, 10), y0 = y[place] + number(-10, 10);
    problem.add({x0, y0, x0 + number(-2, 40), y0 + number(-2, 40)}, number(-40, 40) / 8,
                static_cast<int32_t>(chance.between(-labels / 2, labels / 2)) * far);
  }
  return problem;
}

}  // namespace

TEST_CASE("NMS keeps the reference's boxes, whichever kernel runs", "[box_nms]") {
  Chance chance(31);
  for (int i = 0; i < 300; ++i) {
    auto problem = crowd(chance);
    const float threshold = std::vector<float>{0, 0.3F, 0.5F, 0.6F, 1}[static_cast<size_t>(i % 5)];
    INFO("problem " << i << ", threshold " << threshold);
    const auto all = kept(problem.boxes(), threshold);
    for (const size_t most : {size_t{0}, size_t{1}, size_t{17}, all.size()}) {
      const auto best = kept(problem.boxes(), threshold, most);
      REQUIRE(best == Indices(all.begin(), all.begin() + static_cast<int64_t>(std::min(most, all.size()))));
    }
    problem.classes.clear();
    kept(problem.boxes(), threshold);
  }
}

TEST_CASE("boxes of one class more than a block holds are all held against the next", "[box_nms]") {
  for (const int count : {15, 16, 17, 31, 32, 33, 100}) {
    Problem problem;
    for (int i = 0; i < count; ++i) {
      const auto x = static_cast<float>(10 * i);
      problem.add({x, 0, x + 8, 8}, 2, 0);
    }
    // A copy of each, of lower score.
    for (int i = 0; i < count; ++i) {
      const auto x = static_cast<float>(10 * i);
      problem.add({x, 0, x + 8, 8}, 1, 0);
    }
    const auto found = kept(problem.boxes(), 0.5F);
    REQUIRE(found.size() == static_cast<size_t>(count));
    for (size_t i = 0; i < found.size(); ++i) REQUIRE(found[i] == i);
  }
}

TEST_CASE("the best box is kept and those that overlap it go, but for other classes", "[box_nms]") {
  Problem problem;
  problem.add({0, 0, 10, 10}, 0.5F, 1);
  problem.add({1, 0, 11, 10}, 0.9F, 1);   // over the first: 90 / 110
  problem.add({0, 0, 10, 10}, 0.4F, 2);   // another class
  problem.add({30, 0, 40, 10}, 0.1F, 1);  // elsewhere
  CHECK(kept(problem.boxes(), 0.5F) == Indices{1, 2, 3});
  CHECK(kept(problem.boxes(), 0.9F) == Indices{1, 0, 2, 3});
  CHECK(kept(problem.boxes(), 0.5F, 2) == Indices{1, 2});
  problem.classes.clear();
  CHECK(kept(problem.boxes(), 0.5F) == Indices{1, 3});
}

TEST_CASE("a box that was suppressed suppresses nothing", "[box_nms]") {
  Problem problem;
  problem.add({0, 0, 10, 10}, 0.9F, 0);
  problem.add({4, 0, 14, 10}, 0.8F, 0);  // 60 / 140 with the first
  problem.add({8, 0, 18, 10}, 0.7F, 0);  // 60 / 140 with the second, 20 / 180 with the first
  CHECK(kept(problem.boxes(), 0.4F) == Indices{0, 2});
}

TEST_CASE("equal scores keep the lower index, and -0 is 0", "[box_nms]") {
  Problem problem;
  for (const float score : {-0.0F, 0.0F, -0.0F}) problem.add({0, 0, 4, 4}, score, 0);
  CHECK(kept(problem.boxes(), 0.5F) == Indices{0});
  CHECK(kept(problem.boxes(), 1) == Indices{0, 1, 2});
}

TEST_CASE("an overlap of exactly the threshold does not suppress", "[box_nms]") {
  Problem problem;
  problem.add({0, 0, 2, 1}, 1, 0);
  problem.add({0, 0, 1, 1}, 0.5F, 0);
  CHECK(kept(problem.boxes(), 0.5F) == Indices{0, 1});
  CHECK(kept(problem.boxes(), std::nextafter(0.5F, 0.0F)) == Indices{0});
}

TEST_CASE("thresholds a rounding away from an overlap decide as the quotient does", "[box_nms]") {
  Chance chance(33);
  for (int i = 0; i < 2000; ++i) {
    Problem problem;
    problem.add({0, 0, chance.number(5, 100), chance.number(5, 100)}, 1, 0);
    problem.add({chance.number(-3, 3), chance.number(-3, 3), chance.number(5, 100), chance.number(5, 100)}, 0.5F, 0);
    const auto& c = problem.corners;
    const float w = std::min(c[2], c[6]) - std::max(c[0], c[4]), h = std::min(c[3], c[7]) - std::max(c[1], c[5]);
    const float inter = w * h, both = (c[2] - c[0]) * (c[3] - c[1]) + (c[6] - c[4]) * (c[7] - c[5]) - inter;
    const float overlap = inter / both;
    for (const float threshold : {std::nextafter(overlap, 0.0F), overlap, std::nextafter(overlap, 1.0F)})
      kept(problem.boxes(), threshold);
  }
}

TEST_CASE("boxes without area, and with corners in the wrong order, suppress nothing", "[box_nms]") {
  Problem problem;
  for (int i = 0; i < 2; ++i) problem.add({3, 3, 3, 3}, 1, 0);
  for (int i = 0; i < 2; ++i) problem.add({0, 5, 9, 5}, 1, 0);
  for (int i = 0; i < 2; ++i) problem.add({9, 9, 2, 2}, 1, 0);
  CHECK(kept(problem.boxes(), 0) == Indices{0, 1, 2, 3, 4, 5});
}

TEST_CASE("scores that are NaN and corners that are not finite drop a box; infinite scores are ordered", "[box_nms]") {
  Problem problem;
  problem.add({0, 0, 4, 4}, kNone, 0);
  problem.add({0, 0, 4, 4}, -kInfinity, 0);
  problem.add({20, 0, 24, 4}, kInfinity, 0);
  problem.add({0, 0, kInfinity, 4}, 2, 0);
  problem.add({0, kNone, 4, 4}, 2, 0);
  problem.add({-kInfinity, 0, 4, 4}, 2, 0);
  problem.add({40, 0, 44, 4}, 1, 0);
  CHECK(kept(problem.boxes(), 0.5F) == Indices{2, 6, 1});
  Problem none;
  none.add({0, 0, 1, 1}, kNone, 0);
  CHECK(kept(none.boxes(), 0.5F).empty());
  CHECK(kept(Problem().boxes(), 0.5F).empty());
}

TEST_CASE("boxes as large and as small as floats are", "[box_nms]") {
  constexpr float kMost = std::numeric_limits<float>::max(), kLeast = std::numeric_limits<float>::denorm_min();
  Problem problem;
  for (const float size : {kMost, 1e20F, 1e-20F, 1e-30F, kLeast})
    for (int i = 0; i < 2; ++i) {
      problem.add({0, 0, size, size}, 1, 0);
      problem.add({-size, -size, size, size}, 0.5F, 0);
    }
  for (const float threshold : {0.0F, 0.2F, 0.5F}) kept(problem.boxes(), threshold);
  // Areas that overflow: the overlap is no number, which is not greater.
  CHECK(kept(problem.boxes(), 0.5F).size() > 5);
}

TEST_CASE("classes may be any numbers", "[box_nms]") {
  Problem problem;
  for (int round = 0; round < 2; ++round)
    for (const int32_t label : {std::numeric_limits<int32_t>::min(), -1, 0, 1, 90, std::numeric_limits<int32_t>::max()})
      problem.add({0, 0, 4, 4}, static_cast<float>(2 - round), label);
  CHECK(kept(problem.boxes(), 0.5F) == Indices{0, 1, 2, 3, 4, 5});
}

TEST_CASE("NMS by name of the processor, and the faults of a caller", "[box_nms]") {
  Chance chance(32);
  const auto problem = crowd(chance);
  for (const char* cap : {"generic", "avx2", "avx512", "amx"})
    CHECK(nms(problem.boxes(), 0.5F, 50, detect_isa(cap)) == reference(problem.boxes(), 0.5F, 50));
  CHECK(all_kernels().back()->runs_on(detect_isa("generic")));
  auto boxes = problem.boxes();
  CHECK_THROWS_AS(nms(boxes, -0.1F, 50), LogicFault);
  CHECK_THROWS_AS(nms(boxes, kNone, 50), LogicFault);
  boxes.classes = boxes.classes.first(boxes.classes.size() - 1);
  CHECK_THROWS_AS(nms(boxes, 0.5F, 50), LogicFault);
  boxes = problem.boxes();
  boxes.corners = boxes.corners.first(boxes.corners.size() - 1);
  CHECK_THROWS_AS(nms(boxes, 0.5F, 50), LogicFault);
}
