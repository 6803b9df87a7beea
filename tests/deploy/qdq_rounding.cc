// Which encoders are a QuantizeLinear.
#include "deploy/qdq_rounding.h"

#include <cmath>
#include <limits>

#include "base/random.h"
#include "deploy/affine_encoder.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

// round(clip(v / scale, lowest, lowest + largest)), as LSQ and its kin have it.
FrozenEncoder uniform(int32_t largest, int32_t lowest, float scale, float offset = 0) {
  return {.kind = "affine",
          .subtract = offset,
          .divide = scale,
          .lo = static_cast<float>(lowest),
          .hi = static_cast<float>(lowest + largest),
          .add = -lowest};
}

CodeMeaning meaning(int32_t largest, int32_t lowest, float scale, float offset = 0) {
  return {.largest = largest, .shift = lowest, .scale = scale, .offset = offset};
}

}  // namespace

TEST_CASE("a rounding that is found gives the encoder's code for every float tried", "[qdq]") {
  RandomStream random(3);
  int found = 0;
  for (int i = 0; i < 60; ++i) {
    const auto largest = static_cast<int32_t>(1 + random.below(255));
    const auto lowest = -static_cast<int32_t>(random.below(static_cast<uint64_t>(largest) + 1));
    const auto scale = static_cast<float>(0.01 + random.uniform());
    const auto offset = i % 2 == 0 ? 0.0F : static_cast<float>(random.uniform() - 0.5);
    const auto encoder = uniform(largest, lowest, scale, offset);
    const auto rounding = find_rounding(encoder, meaning(largest, lowest, scale, offset));
    CAPTURE(largest, lowest, scale, offset);
    if (!rounding) continue;
    ++found;
    const auto exact = affine_encoder(encoder, largest);
    const auto same = [&](float v) {
      return rounding->code(v, largest) == static_cast<float>(requantize::encode(exact, v));
    };
    for (int j = 0; j < 500; ++j)
      REQUIRE(same(
          static_cast<float>((random.uniform() * 3 - 1) * static_cast<double>(largest) * static_cast<double>(scale))));
    for (const float t : thresholds_of(encoder, largest)) {
      REQUIRE(same(t));
      REQUIRE(same(std::nextafter(t, -std::numeric_limits<float>::infinity())));
    }
  }
  CHECK(found > 30);
}

TEST_CASE("thresholds are the first floats of their codes", "[qdq]") {
  const auto encoder = uniform(15, -8, 0.3F);
  const auto exact = affine_encoder(encoder, 15);
  const auto thresholds = thresholds_of(encoder, 15);
  REQUIRE(thresholds.size() == 15);
  for (int32_t j = 0; j < 15; ++j) {
    const float t = thresholds[static_cast<size_t>(j)];
    CHECK(requantize::encode(exact, t) == j + 1);
    CHECK(requantize::encode(exact, std::nextafter(t, -1e9F)) == j);
  }
}

TEST_CASE("levels that are not evenly spaced are no QuantizeLinear, nor is a single code", "[qdq]") {
  const FrozenEncoder uneven = {.kind = "thresholds", .table = {0.02F, 0.11F, 0.2F, 0.45F, 0.7F, 1.3F, 2.1F}};
  CHECK_FALSE(find_rounding(uneven, meaning(7, 0, 0.25F)).has_value());
  CHECK_FALSE(find_rounding(uniform(3, 0, 0.3F), meaning(0, 0, 0.3F)).has_value());
  CHECK(find_rounding(uniform(3, 0, 0.3F), meaning(3, 0, 0.3F)).has_value());
}
