#include "results/summary.h"

#include <cmath>

#include "tests/support/catch.h"

using namespace auxbench;

TEST_CASE("gains are paired by seed and their verdict needs more than one", "[results]") {
  const auto gains = summarize(
      paired_gains({{0, 75.8}, {1, 78.0}, {2, 78.7}, {5, 1.0}}, {{2, 79.5}, {0, 79.7}, {1, 79.1}, {6, 99.0}}));
  CHECK(gains.count == 3);
  CHECK(gains.mean == Approx((3.9 + 1.1 + 0.8) / 3));
  CHECK(gains.deviation == Approx(1.7098).epsilon(1e-4));
  CHECK(gains.half_width == Approx(4.303 * 1.7098 / std::sqrt(3)).epsilon(1e-4));
  CHECK(verdict(gains) == Verdict::inconclusive);
  CHECK(verdict(summarize({3.0})) == Verdict::one_seed);
  CHECK(verdict(summarize({3.0, 3.1, 3.2})) == Verdict::positive);
  CHECK(verdict(summarize({-3.0, -3.1, -3.2})) == Verdict::negative);
  CHECK(verdict(summarize({})) == Verdict::no_data);
}

TEST_CASE("every verdict has words of its own", "[results]") {
  CHECK(verdict_text(Verdict::no_data) == "not measured");
  CHECK(verdict_text(Verdict::one_seed) == "one seed: not evidence");
  CHECK(verdict_text(Verdict::positive) == "positive");
  CHECK(verdict_text(Verdict::negative) == "negative");
  CHECK(verdict_text(Verdict::inconclusive) == "inconclusive");
}

TEST_CASE("a loss within a margin needs an interval that lies above minus the margin", "[results]") {
  const auto gains = summarize({-0.3, -0.2, -0.4});  // -0.3 -+ 0.25
  CHECK(gains.half_width == Approx(4.303 * 0.1 / std::sqrt(3)).epsilon(1e-9));
  CHECK(verdict(gains) == Verdict::negative);
  CHECK(verdict(gains, 1.0) == Verdict::positive);
  CHECK(verdict(gains, 0.5) == Verdict::inconclusive);
  CHECK(verdict(gains, 0.0) == Verdict::negative);
  CHECK(verdict(summarize({-3.0, -3.1, -3.2}), 1.0) == Verdict::negative);
  CHECK(verdict(summarize({-0.3}), 1.0) == Verdict::one_seed);
  CHECK(verdict(summarize({}), 1.0) == Verdict::no_data);
  CHECK(verdict_text(Verdict::positive, 1.0) == "within 1.0");
  CHECK(verdict_text(Verdict::negative, 0.5) == "beyond 0.5");
  CHECK(verdict_text(Verdict::inconclusive, 0.5) == "inconclusive");
}

TEST_CASE("a metric at an epoch is the curve's there, and none beyond a curve that ends early", "[results]") {
  Record record;
  record.metrics = {{.name = "top1", .value = 80, .unit = "%"}};
  record.curves = {{"epoch", {1, 4, 8}}, {"top1", {10.5, 20.5}}};
  CHECK(metric_at_epoch(record, "top1", 4) == 20.5);
  CHECK_FALSE(metric_at_epoch(record, "top1", 8));
  CHECK_FALSE(metric_at_epoch(record, "top1", 2));
  CHECK_FALSE(metric_at_epoch(record, "top5", 4));
  record.curves.erase("epoch");
  CHECK_FALSE(metric_at_epoch(record, "top1", 4));
  CHECK(metric_value(record, "top1") == 80);
}

TEST_CASE("a record whose spec has no seed, or no spec at all, has the default seed", "[results]") {
  Record record;
  CHECK(seed_of(record) == 0);
  record.spec = {{"seed", 7}};
  CHECK(seed_of(record) == 7);
  record.spec = {{"seed", "seven"}};
  CHECK(seed_of(record) == 0);
}
