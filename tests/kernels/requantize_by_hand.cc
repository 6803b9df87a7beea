// What can be said of requantize.h with numbers one can follow; requantize.cc is about everything at once.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/requantize/requantize.h"
#include "tests/support/catch.h"

using namespace auxbench;
using namespace auxbench::requantize;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// One number through one-channel maps, in every instruction set.
struct One {
  std::array<float, 16> scale = {}, alpha = {}, beta = {}, term = {}, partial = {}, out = {};
  std::array<int32_t, 16> acc = {};
  std::array<uint8_t, 80> residual = {};
  std::array<uint8_t, 4> codes = {};
  Epilogue epilogue = {.channels = 1};

  void through(const std::string& cap) {
    epilogue.out = {out.data(), 1, 1, 16};
    epilogue.codes = {codes.data(), 1, 1, 0, 4};
    apply_for(detect_isa(cap))(epilogue, {.acc = acc.data(), .stride = 16, .pixels = 1, .channels = 1});
  }
};

}  // namespace

TEST_CASE("a number by hand: all lines of a chain, in their order", "[kernels]") {
  for (const char* cap : {"generic", "avx2", "avx512"}) {
    One one;
    one.acc[0] = 5;
    one.scale[0] = 0.5F;  // 2.5
    one.partial[0] = -1;  // 1.5
    one.term[0] = 0.25F;  // 1.75
    one.alpha[0] = 2;     // 3.5
    one.beta[0] = -1;     // 2.5
    one.residual[0] = 3;  // (2 * 3 - 1) * 0.5 + 0.25 = 2.75: 5.25
    one.epilogue = {.channels = 1,
                    .scale = one.scale.data(),
                    .partial = {one.partial.data(), 1, 1, 16},
                    .class_terms = one.term.data(),
                    .relu_first = true,
                    .alpha = one.alpha.data(),
                    .beta = one.beta.data(),
                    .residual_codes = {one.residual.data(), 1, 1, 0, 4},
                    .residual_step = 2,
                    .residual_shift = -1,
                    .residual_scale = 0.5F,
                    .residual_offset = 0.25F,
                    .clamp = true,
                    .lo = 0,
                    .hi = 5,  // 5
                    // (5 - 1) / 2 = 2, in 0 .. 4, * 1.25 = 2.5, to even 2, + 1
                    .encoder = {.kind = Encoder::Kind::affine,
                                .steps = 6,
                                .subtract = 1,
                                .divide = 2,
                                .lo = 0,
                                .hi = 4,
                                .multiply = 1.25F,
                                .add = 1}};
    one.through(cap);
    CHECK(one.out[0] == 5);
    CHECK(one.codes[0] == 3);
    one.acc[0] = -500;  // below zero until relu_first: 0 * 2 - 1 + 2.75
    one.through(cap);
    CHECK(one.out[0] == 1.75F);
    CHECK(one.codes[0] == 1);  // 0.375 * 1.25 rounds to 0
  }
}

TEST_CASE("accumulators become floats to nearest even, products in double are rounded once", "[kernels]") {
  for (const char* cap : {"generic", "avx2", "avx512"}) {
    One one;
    one.scale[0] = 3;
    one.epilogue.scale = one.scale.data();
    one.acc[0] = (1 << 24) + 1;
    one.through(cap);
    CHECK(one.out[0] == 50331648.0F);
    one.epilogue.in_double = true;
    one.through(cap);
    CHECK(one.out[0] == 50331652.0F);
  }
}

TEST_CASE("encode: halves to even, tables count what is reached, infinities too", "[kernels]") {
  const Encoder round = {.kind = Encoder::Kind::affine, .steps = 4, .lo = 0, .hi = 4};
  CHECK(encode(round, 0.5F) == 0);
  CHECK(encode(round, 1.5F) == 2);
  CHECK(encode(round, 2.5F) == 2);
  CHECK(encode(round, kInfinity) == 4);
  CHECK(encode(round, -kInfinity) == 0);
  const std::array<float, 16> table = {0, 0, 1, kInfinity};
  const Encoder count = {.kind = Encoder::Kind::thresholds, .steps = 4, .table = table.data()};
  CHECK(encode(count, -0.0F) == 2);
  CHECK(encode(count, std::nextafter(1.0F, 0.0F)) == 2);
  CHECK(encode(count, 1) == 3);
  CHECK(encode(count, kInfinity) == 4);
}

TEST_CASE("NaN gets a code that the encoder has", "[kernels]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::array<float, 16> in = {nan, -nan, 0};
  std::array<uint8_t, 64> codes = {};
  // 246, for a sum of the lowest int32 and -10 cut to a byte, would be more than later kernels make room for.
  Epilogue epilogue = {.channels = 16,
                       .encoder = {.kind = Encoder::Kind::affine, .steps = 3, .lo = 10, .hi = 13, .add = -10},
                       .codes = {.data = codes.data(), .h = 1, .w = 1, .pixel = 16}};
  for (const char* cap : {"generic", "avx2", "avx512"}) {
    CAPTURE(cap);
    codes.fill(9);
    apply_rows_for(detect_isa(cap))(epilogue, {.data = in.data(), .h = 1, .w = 1, .pixel = 16}, 0, 1);
    CHECK(codes[0] <= 3);
    CHECK(codes[1] <= 3);
  }
  CHECK(encode(epilogue.encoder, nan) == 0);
}

namespace {

void check_all(const Epilogue& chain, const Thresholds& found, int64_t border_class) {
  const Epilogue counted = {
      .channels = chain.channels, .thresholds = found.values.data(), .flip = found.flip.data(), .count = found.count};
  for (int32_t acc = -100; acc <= 100; ++acc)
    for (int64_t c = 0; c < chain.channels; ++c)
      REQUIRE(code_of(counted, acc, c, 0) == code_of(chain, acc, c, border_class));
}

}  // namespace

TEST_CASE("thresholds by hand: halves to even, in rising and in falling channels", "[kernels]") {
  std::array<float, 16> scale = {0.5F, -0.5F, 0};
  const std::array<uint8_t, 2> classes = {1, 1};
  std::array<float, 32> terms = {};
  Epilogue chain = {
      .channels = 3, .scale = scale.data(), .encoder = {.kind = Encoder::Kind::affine, .steps = 3, .lo = 0, .hi = 3}};
  Thresholds found;
  REQUIRE(find_thresholds(chain, 100, found));
  const auto threshold = [&](size_t j, size_t c) { return found.values[(j - 1) * 16 + c]; };
  CHECK(threshold(1, 0) == 2);  // 0.5 is 0, 1 is 1, 1.5 is 2, 2.5 is 2
  CHECK(threshold(2, 0) == 3);
  CHECK(threshold(3, 0) == 6);
  CHECK(found.flip[0] == 0);
  CHECK(found.flip[1] == -1);
  CHECK(threshold(1, 1) == (-2 ^ -1));
  CHECK(threshold(3, 1) == (-6 ^ -1));
  check_all(chain, found, 0);
  CHECK(find_thresholds(chain, std::numeric_limits<int32_t>::max(), found));
  check_all(chain, found, 0);

  terms[16] = 1;  // the second class, of all pixels
  chain.class_terms = terms.data();
  chain.row_class = classes.data();
  chain.codes.h = 2;
  REQUIRE(find_thresholds(chain, 100, found));
  CHECK(threshold(2, 0) == 1);
  check_all(chain, found, 1);
}

TEST_CASE("no thresholds are found for what has none: residuals, partial sums, floats, several classes, NaN",
          "[kernels]") {
  std::array<float, 16> numbers = {1}, infinite = {kInfinity};
  std::array<uint8_t, 2> classes = {0, 1};
  const Epilogue chain = {
      .channels = 1, .scale = numbers.data(), .encoder = {.kind = Encoder::Kind::affine, .steps = 1}};
  const FloatMap<const float> map = {numbers.data(), 1, 1, 16};
  Thresholds found = {.count = 77};
  const auto refused = [&](const auto& change) {
    Epilogue changed = chain;
    change(changed);
    return !find_thresholds(changed, 10, found) && found.count == 77;
  };
  CHECK(refused([&](Epilogue& e) { e.residual = map; }));
  CHECK(refused([&](Epilogue& e) { e.partial = map; }));
  CHECK(refused([&](Epilogue& e) { e.residual_codes = {classes.data(), 1, 1, 0, 4}; }));
  CHECK(refused([&](Epilogue& e) { e.out = {numbers.data(), 1, 1, 16}; }));
  CHECK(refused([&](Epilogue& e) { e.encoder.kind = Encoder::Kind::none; }));
  CHECK(refused([&](Epilogue& e) { e.alpha = infinite.data(); }));
  CHECK(refused([&](Epilogue& e) {
    e.class_terms = numbers.data();
    e.column_class = classes.data();
    e.codes.w = 2;
  }));
  CHECK(!refused([](Epilogue&) {}));
}

TEST_CASE("thresholds that lie evenly are a ramp, others are not", "[kernels]") {
  const auto of = [](std::vector<int32_t> first_channel, int32_t flip = 0) {
    const auto padded = static_cast<size_t>(kChannelBlock);
    Thresholds made = {.flip = std::vector<int32_t>(padded, flip), .count = static_cast<int32_t>(first_channel.size())};
    for (const int32_t t : first_channel) {
      made.values.push_back(t);
      made.values.resize(made.values.size() + padded - 1);
    }
    return made;
  };
  Ramp ramp;
  const auto codes = [&](const Thresholds& thresholds, const std::vector<int32_t>& accumulators) {
    Epilogue e = {.channels = 1, .count = thresholds.count};
    e.slope = ramp.slope.data();
    e.offset = ramp.offset.data();
    std::vector<int32_t> found;
    for (const int32_t acc : accumulators) found.push_back(code_of(e, acc, 0, 0));
    return found;
  };
  const auto even = of({-9, 1, 11});
  REQUIRE(find_ramp(even, 1, 1000, ramp));
  CHECK(codes(even, {-1000, -10, -9, 0, 1, 10, 11, 1000}) == std::vector<int32_t>{0, 0, 1, 1, 2, 2, 3, 3});
  const auto falling = of({-9, 1, 11}, -1);  // of -acc - 1
  REQUIRE(find_ramp(falling, 1, 1000, ramp));
  CHECK(codes(falling, {-12, -11, -2, -1, 8, 9}) == std::vector<int32_t>{3, 2, 2, 1, 1, 0});
  const auto together = of({5, 5, 5});  // codes 1 and 2 are skipped
  REQUIRE(find_ramp(together, 1, 1000, ramp));
  CHECK(codes(together, {4, 5}) == std::vector<int32_t>{0, 3});
  const auto out_of_reach = of({-1000, 1001});  // always, never
  REQUIRE(find_ramp(out_of_reach, 1, 1000, ramp));
  CHECK(codes(out_of_reach, {-1000, 0, 1000}) == std::vector<int32_t>{1, 1, 1});
  const auto nearly = of({0, 10, 21});
  CHECK(find_ramp(nearly, 1, 1000, ramp));
  const auto uneven = of({0, 10, 23});
  CHECK_FALSE(find_ramp(uneven, 1, 1000, ramp));
  CHECK(find_ramp(uneven, 1, 15, ramp));  // the third is out of reach
}
