// Convolutions of floats: every instruction set adds each output's products in the order of the reference.
#include "kernels/float_conv/float_conv.h"

#include <cmath>
#include <limits>

#include "tests/kernels/maps.h"

using namespace auxbench;
using namespace auxbench::float_conv;
using lowbit_conv::between;
using lowbit_conv::Generator;

namespace {

struct Problem {
  Shape shape;
  int64_t n, h, w;

  [[nodiscard]] int64_t out_h() const { return (h + 2 * shape.pad - shape.r) / shape.stride + 1; }
  [[nodiscard]] int64_t out_w() const { return (w + 2 * shape.pad - shape.s) / shape.stride + 1; }
};

Problem some_problem(Generator& generator) {
  Problem p;
  p.shape = {.c = between(generator, 1, 40), .out = between(generator, 1, 90), .r = between(generator, 1, 7)};
  p.shape.s = between(generator, 0, 3) == 0 ? between(generator, 1, 7) : p.shape.r;
  p.shape.stride = between(generator, 1, 3);
  p.shape.pad = between(generator, 0, 1) == 0 ? p.shape.r / 2 : between(generator, 0, 3);
  p.n = between(generator, 1, 3);
  p.h = between(generator, p.shape.r, 14);
  p.w = between(generator, p.shape.s, 14);
  return p;
}

std::vector<float> weights_of(const Problem& p, Generator& generator) {
  std::normal_distribution<float> normal;
  std::vector<float> weights(static_cast<size_t>(p.shape.out * p.shape.r * p.shape.s * p.shape.c));
  for (auto& weight : weights) weight = normal(generator);
  return weights;
}

std::vector<float> computed(const Problem& p, Rows rows, const RandomFloats& in, const std::vector<float>& weights,
                            Generator& generator) {
  const auto packed = pack(p.shape, weights);
  const lowbit_conv::Guarded memory(packed.size() * sizeof(float));
  std::memcpy(memory.data(), packed.data(), packed.size() * sizeof(float));
  const RandomFloats out(generator, p.n, p.out_h(), p.out_w(), p.shape.out);
  in_two_parts(p.n * p.out_h(), [&](int64_t first, int64_t last) {
    rows(p.shape, in.map(), reinterpret_cast<const float*>(memory.data()), out.map(), first, last);
  });
  return out.numbers(p.n);
}

}  // namespace

TEST_CASE("float convolutions give the reference's bits on every instruction set", "[float_conv]") {
  Generator generator(17);
  for (int i = 0; i < 120; ++i) {
    const auto p = some_problem(generator);
    const RandomFloats in(generator, p.n, p.h, p.w, p.shape.c);
    const auto weights = weights_of(p, generator);
    const auto expected = computed(p, rows_reference, in, weights, generator);
    for (const char* cap : {"generic", "avx2", "avx512"}) {
      CAPTURE(i, cap, p.shape.c, p.shape.out, p.shape.r, p.shape.s, p.shape.stride, p.shape.pad, p.n, p.h, p.w);
      REQUIRE(computed(p, rows_for(detect_isa(cap)), in, weights, generator) == expected);
    }
  }
}

TEST_CASE("float convolutions add up in the reference's order", "[float_conv]") {
  // Large weights come with their negatives, so that what is left is mostly what the order of adding rounded away.
  Generator generator(20);
  for (int i = 0; i < 40; ++i) {
    const auto p = some_problem(generator);
    const RandomFloats in(generator, p.n, p.h, p.w, p.shape.c);
    std::fill_n(in.map().data, in.numbers(p.n).size(), 1.0F);
    auto weights = weights_of(p, generator);
    const auto taps = static_cast<std::ptrdiff_t>(p.shape.r * p.shape.s * p.shape.c);
    for (auto first = weights.begin(); first != weights.end(); first += taps) {
      for (std::ptrdiff_t k = 0; k + 1 < taps; k += 2) {
        first[k] *= std::ldexp(1.0F, static_cast<int>(between(generator, 30, 60)));
        first[k + 1] = -first[k];
      }
      std::shuffle(first, first + taps, generator);
    }
    const auto expected = computed(p, rows_reference, in, weights, generator);
    for (const char* cap : {"generic", "avx2", "avx512"})
      REQUIRE(computed(p, rows_for(detect_isa(cap)), in, weights, generator) == expected);
  }
}

TEST_CASE("a float convolution is its formula", "[float_conv]") {
  // Against the sum in long double: packing, strides and padding as the contract says, not as the reference reads them.
  Generator generator(18);
  for (int i = 0; i < 20; ++i) {
    const auto p = some_problem(generator);
    const RandomFloats in(generator, p.n, p.h, p.w, p.shape.c);
    const auto weights = weights_of(p, generator);
    const auto found = computed(p, rows_for(this_isa()), in, weights, generator);
    const int64_t pixel = requantize::padded_channels(p.shape.out);
    for (int64_t at = 0; at < p.n * p.out_h() * p.out_w(); ++at)
      for (int64_t o = 0; o < p.shape.out; ++o) {
        const int64_t n = at / p.out_w() / p.out_h(), y = at / p.out_w() % p.out_h(), x = at % p.out_w();
        long double sum = 0, size = 0;
        for (int64_t t = 0; t < p.shape.r * p.shape.s; ++t) {
          const int64_t j = y * p.shape.stride + t / p.shape.s - p.shape.pad;
          const int64_t k = x * p.shape.stride + t % p.shape.s - p.shape.pad;
          if (j < 0 || j >= p.h || k < 0 || k >= p.w) continue;
          for (int64_t c = 0; c < p.shape.c; ++c) {
            const long double product =
                static_cast<long double>(in.map().at(n, j, k)[c]) *
                static_cast<long double>(weights[static_cast<size_t>((o * p.shape.r * p.shape.s + t) * p.shape.c + c)]);
            sum += product;
            size += std::abs(product);
          }
        }
        const long double error = std::abs(sum - static_cast<long double>(found[static_cast<size_t>(at * pixel + o)]));
        REQUIRE(error <= std::ldexp(std::abs(sum), -24) + std::ldexp(size, -40));
      }
  }
}

TEST_CASE("taps outside the image are not added, whatever their weight", "[float_conv]") {
  const Problem p = {.shape = {.c = 2, .out = 20, .r = 3, .s = 3, .stride = 1, .pad = 1}, .n = 1, .h = 1, .w = 9};
  Generator generator(19);
  const RandomFloats in(generator, p.n, p.h, p.w, p.shape.c);
  auto weights = weights_of(p, generator);
  for (size_t i = 0; i < weights.size(); ++i)
    if (i / 2 % 9 / 3 != 1) weights[i] = std::numeric_limits<float>::infinity();
  for (const char* cap : {"generic", "avx2", "avx512"})
    for (const float v : computed(p, rows_for(detect_isa(cap)), in, weights, generator)) REQUIRE(std::isfinite(v));
}
