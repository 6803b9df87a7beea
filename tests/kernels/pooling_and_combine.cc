// Pooling, upsampling, sums and digits of maps against their references: bit for bit, inside their memory, rows in any order.
#include "kernels/combine/combine.h"
#include "kernels/pooling/pooling.h"
#include "kernels/upsampling/upsampling.h"
#include "tests/kernels/maps.h"

using namespace auxbench;
using lowbit_conv::between;
using lowbit_conv::Generator;

namespace {

constexpr int kProblems = 150;

struct Sizes {
  int64_t n, h, w, channels;

  explicit Sizes(Generator& generator)
      : n(between(generator, 1, 3)),
        h(between(generator, 1, 11)),
        w(between(generator, 1, 11)),
        channels(between(generator, 1, 70)) {}
  [[nodiscard]] std::string text() const {
    return std::to_string(n) + " x " + std::to_string(h) + " x " + std::to_string(w) + " x " + std::to_string(channels);
  }
};

// What two kernels of floats make in maps of a size.
template <typename Ours, typename Reference>
void compare_floats(Generator& generator, const Sizes& size, int64_t h, int64_t w, int64_t rows, const Ours& ours,
                    const Reference& reference) {
  INFO(size.text());
  const RandomFloats found(generator, size.n, h, w, size.channels), expected(generator, size.n, h, w, size.channels);
  in_two_parts(rows, [&](int64_t first, int64_t last) { ours(found.map(), first, last); });
  reference(expected.map(), 0, rows);
  REQUIRE(found.numbers(size.n) == expected.numbers(size.n));
}

}  // namespace

TEST_CASE("poolings of floats give the reference's bits", "[pooling]") {
  Generator generator(21);
  for (int i = 0; i < kProblems; ++i) {
    const Sizes size(generator);
    const RandomFloats in(generator, size.n, size.h, size.w, size.channels);
    const pooling::In from = in.map();
    const int64_t h = (size.h + 1) / 2, w = (size.w + 1) / 2;
    compare_floats(
        generator, size, h, w, size.n * h,
        [&](const auto& to, int64_t first, int64_t last) { pooling::max_rows(from, to, first, last); },
        [&](const auto& to, int64_t first, int64_t last) { pooling::reference::max_rows(from, to, first, last); });
    compare_floats(
        generator, size, h, w, size.n * h,
        [&](const auto& to, int64_t first, int64_t last) { pooling::average_rows(from, to, first, last); },
        [&](const auto& to, int64_t first, int64_t last) { pooling::reference::average_rows(from, to, first, last); });
    compare_floats(
        generator, size, 1, 1, size.n,
        [&](const auto& to, int64_t first, int64_t last) { pooling::mean_images(from, to, first, last); },
        [&](const auto& to, int64_t first, int64_t last) { pooling::reference::mean_images(from, to, first, last); });
  }
}

TEST_CASE("poolings and digits of codes are the reference's and leave borders alone", "[pooling]") {
  Generator generator(22);
  for (int i = 0; i < kProblems; ++i) {
    const Sizes size(generator);
    INFO(size.text());
    const auto compare = [&](int64_t h, int64_t w, const auto& ours, const auto& reference) {
      RandomCodes found(generator, size.n, h, w, size.channels, 255);
      const auto before = found.codes();
      in_two_parts(size.n * h, [&](int64_t first, int64_t last) { ours(found.map(), first, last); });
      const auto codes = found.codes();
      found.set(before);
      reference(found.map(), 0, size.n * h);
      REQUIRE(codes == found.codes());
    };
    const RandomCodes in(generator, size.n, size.h, size.w, size.channels, 255);
    const requantize::CodeMap<const uint8_t> from = in.map();
    compare((size.h + 1) / 2, (size.w + 1) / 2,
            [&](const auto& to, int64_t first, int64_t last) { pooling::max_rows(from, to, first, last); },
            [&](const auto& to, int64_t first, int64_t last) { pooling::reference::max_rows(from, to, first, last); });
    const RandomCodes few(generator, size.n, size.h, size.w, size.channels, 31);
    const requantize::CodeMap<const uint8_t> digits = few.map();
    const auto mask = static_cast<uint32_t>(generator());
    compare(
        size.h, size.w,
        [&](const auto& to, int64_t first, int64_t last) { combine::digit_rows(digits, mask, to, first, last); },
        [&](const auto& to, int64_t first, int64_t last) {
          combine::reference::digit_rows(digits, mask, to, first, last);
        });
  }
}

TEST_CASE("upsamplings give the reference's bits and leave borders alone", "[upsampling]") {
  Generator generator(24);
  for (int i = 0; i < kProblems; ++i) {
    const Sizes size(generator);
    const int64_t h = i % 2 == 0 ? 2 * size.h - i % 4 / 2 : between(generator, 1, 30);
    const int64_t w = i % 2 == 0 ? 2 * size.w : between(generator, 1, 30);
    const RandomFloats in(generator, size.n, size.h, size.w, size.channels);
    const requantize::FloatMap<const float> from = in.map();
    compare_floats(
        generator, size, h, w, size.n * h,
        [&](const auto& to, int64_t first, int64_t last) { upsampling::nearest_rows(from, to, first, last); },
        [&](const auto& to, int64_t first, int64_t last) {
          upsampling::reference::nearest_rows(from, to, first, last);
        });
    const RandomCodes coded(generator, size.n, size.h, size.w, size.channels, 255);
    const requantize::CodeMap<const uint8_t> codes = coded.map();
    RandomCodes found(generator, size.n, h, w, size.channels, 255);
    const auto before = found.codes();
    in_two_parts(size.n * h,
                 [&](int64_t first, int64_t last) { upsampling::nearest_rows(codes, found.map(), first, last); });
    const auto ours = found.codes();
    found.set(before);
    upsampling::reference::nearest_rows(codes, found.map(), 0, size.n * h);
    INFO(size.text());
    REQUIRE(ours == found.codes());
  }
}

TEST_CASE("each pixel of twice a map is that of half its place", "[upsampling]") {
  Generator generator(25);
  // Odd sizes too: a pyramid's level has 2 n - 1 or 2 n rows above n.
  for (int64_t n = 1; n <= 700; ++n)
    for (const int64_t to : {2 * n - 1, 2 * n}) {
      const RandomFloats in(generator, 1, n, 1, 1), out(generator, 1, to, 1, 1);
      upsampling::reference::nearest_rows(in.map(), out.map(), 0, to);
      for (int64_t y = 0; y < to; ++y) REQUIRE(*out.map().at(0, y, 0) == *in.map().at(0, y / 2, 0));
    }
}

TEST_CASE("weighted sums of maps give the reference's bits", "[combine]") {
  Generator generator(23);
  for (int i = 0; i < kProblems; ++i) {
    const Sizes size(generator);
    const auto count = static_cast<size_t>(between(generator, 1, 5));
    std::vector<std::unique_ptr<RandomFloats>> maps;
    std::vector<combine::In> in;
    std::vector<float> factors;
    std::normal_distribution<float> normal;
    for (size_t k = 0; k < count; ++k) {
      maps.push_back(std::make_unique<RandomFloats>(generator, size.n, size.h, size.w, size.channels));
      in.push_back(maps.back()->map());
      factors.push_back(normal(generator));
    }
    compare_floats(
        generator, size, size.h, size.w, size.n * size.h,
        [&](const auto& to, int64_t first, int64_t last) { combine::weighted_sum_rows(in, factors, to, first, last); },
        [&](const auto& to, int64_t first, int64_t last) {
          combine::reference::weighted_sum_rows(in, factors, to, first, last);
        });
  }
}
