#include "metrics/topk.h"

#include <limits>

#include "base/check.h"
#include "tests/support/catch.h"

using auxbench::TopK;

namespace {

TopK rank(const std::vector<float>& logits, const std::vector<int64_t>& labels, int64_t classes) {
  TopK result;
  auxbench::add_topk(logits, labels, classes, result);
  return result;
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("the largest logit is the first choice and ties go to the lower class", "[metrics]") {
  const auto result = rank({1, 3, 2, 5, 5, 0}, {1, 1}, 3);
  CHECK(result.predictions == std::vector<int64_t>{1, 0});
  CHECK(result.top1 == std::vector<bool>{true, false});
}

TEST_CASE("top-5 counts the five largest and no more", "[metrics]") {
  const std::vector<float> row = {6, 5, 4, 3, 2, 1};
  for (int64_t label = 0; label < 6; ++label) CHECK(rank(row, {label}, 6).top5[0] == (label < 5));
}

TEST_CASE("with fewer than five classes top-5 is every image", "[metrics]") { CHECK(rank({1, 2, 3}, {0}, 3).top5[0]); }

TEST_CASE("NaN never wins and never counts", "[metrics]") {
  const auto result = rank({kNan, 1, kNan, kNan, kNan, kNan}, {0, 1}, 3);
  CHECK(result.predictions == std::vector<int64_t>{1, -1});
  CHECK(result.top1 == std::vector<bool>{false, false});
  CHECK(result.top5 == std::vector<bool>{false, false});
}

TEST_CASE("percent is the share of hits", "[metrics]") {
  CHECK(auxbench::percent({true, false, true, true}) == 75.0);
  CHECK(auxbench::percent({}) == 0.0);
}

TEST_CASE("a label outside the classes is our fault", "[metrics]") {
  CHECK_THROWS_AS(rank({1, 2}, {2}, 2), auxbench::LogicFault);
}
