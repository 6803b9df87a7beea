// Matrix products on codes by every kernel against the int64 reference: tails, strides, codings, extreme codes, guard
// pages, what an epilogue makes of the sums. Kernels come from the table this is linked with: the processor's, or the
// one on software tiles.
#include "kernels/lowbit_gemm/lowbit_gemm.h"

#include <numeric>

#include "base/check.h"
#include "base/error.h"
#include "base/files/sha256.h"
#include "kernels/lowbit_gemm/reference.h"
#include "tests/kernels/conv_problems.h"

using namespace auxbench;
using namespace auxbench::lowbit_gemm;
using auxbench::lowbit_conv::between;
using auxbench::lowbit_conv::Buffer;
using auxbench::lowbit_conv::Fill;
using auxbench::lowbit_conv::Generator;
using auxbench::lowbit_conv::Guarded;
using auxbench::lowbit_conv::kUntouched;

namespace {

// Around the sizes that kernels divide by, and any.
int64_t some_size(Generator& generator, int64_t most) {
  static constexpr int64_t kSteps[] = {4, 6, 16, 24, 32, 64, 128};
  if (between(generator, 0, 1) == 0) return between(generator, 1, most);
  const int64_t step = kSteps[between(generator, 0, 6)];
  return std::clamp<int64_t>(step * between(generator, 1, 3) + between(generator, -1, 1), 1, most);
}

Problem some_product(Generator& generator) {
  const auto coding = lowbit_conv::some_problem(generator);
  return {.m = some_size(generator, 200),
          .k = some_size(generator, 300),
          .n = some_size(generator, 150),
          .weight_bits = coding.weight_bits,
          .odd_weights = coding.odd_weights,
          .activation_bits = coding.activation_bits,
          .activation_step = coding.activation_step,
          .activation_shift = coding.activation_shift};
}

std::string text_of(const Problem& p) {
  return "m " + std::to_string(p.m) + " k " + std::to_string(p.k) + " n " + std::to_string(p.n) + " w" +
         std::to_string(p.weight_bits) + (p.odd_weights ? " odd" : "") + " a" + std::to_string(p.activation_bits) +
         " step " + std::to_string(p.activation_step) + " shift " + std::to_string(p.activation_shift);
}

// W, and A whose slack ends at a page nobody may touch; codes that mean nothing where nothing is meant.
struct Operands {
  std::vector<int8_t> weights;
  Guarded memory;
  Matrix a;

  Operands(const Problem& p, int64_t stride, Fill fill, Generator& generator)
      : weights(lowbit_conv::some_weights(p.convolution(), generator, fill)),
        memory(static_cast<size_t>(p.m * stride + kSlack)),
        a({.data = memory.data(), .stride = stride}) {
    const auto codes = lowbit_conv::some_codes(p.convolution(), generator, fill);
    for (int64_t i = 0; i < p.m * stride + kSlack; ++i) memory.data()[i] = static_cast<uint8_t>(generator());
    for (int64_t i = 0; i < p.m; ++i)
      std::memcpy(memory.data() + i * stride, codes.data() + i * p.k, static_cast<size_t>(p.k));
  }
};

// A plan's blob and workspaces, these full of what is not zero.
class Machine {
 public:
  Machine(Plan plan, std::span<const int8_t> weights)
      : plan_(std::move(plan)), packed_(plan_.packed_bytes()), shared_(plan_.shared_bytes()), own_(plan_.own_bytes()) {
    const auto blob = plan_.pack(weights);
    REQUIRE(blob.size() == packed_.size());
    std::memcpy(packed_.data(), blob.data(), blob.size());
    REQUIRE(plan_.check({packed_.data(), packed_.size()}).empty());
    std::memset(shared_.data(), 0xc3, shared_.size());
    std::memset(own_.data(), 0xc3, own_.size());
  }

  // In two parts and backwards: tasks do not lean on each other.
  void run(Arguments arguments) const {
    arguments.packed = packed_.data();
    arguments.shared = shared_.data();
    arguments.own = own_.data();
    for (int phase = 0; phase < plan_.phases(); ++phase) {
      const int64_t tasks = plan_.tasks(phase), half = tasks / 2;
      plan_.execute(phase, half, tasks, arguments);
      plan_.execute(phase, 0, half, arguments);
    }
  }

 private:
  Plan plan_;
  Buffer packed_, shared_, own_;
};

// C in memory that ends with its last number; what is between rows must stay as it was.
std::vector<int64_t> sums_of(const Problem& p, const Machine& machine, const Matrix& a, int64_t stride) {
  const auto numbers = static_cast<size_t>((p.m - 1) * stride + p.n);
  const Guarded memory(numbers * sizeof(int32_t));
  auto* c = reinterpret_cast<int32_t*>(memory.data());
  std::fill_n(c, numbers, kUntouched);
  machine.run({.a = a, .sums = {.data = c, .stride = stride}});
  std::vector<int64_t> sums;
  int64_t touched = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(numbers); ++i)
    if (i % stride < p.n)
      sums.push_back(c[i]);
    else
      touched += c[i] == kUntouched ? 0 : 1;
  CHECK(touched == 0);
  return sums;
}

void compare(const Problem& p, uint64_t seed, Fill fill) {
  Generator generator(seed);
  const Operands operands(p, (p.k + 3) / 4 * 4 + 4 * between(generator, 0, 5), fill, generator);
  const auto expected = reference(p, operands.weights, operands.a);
  for (const auto& kernel : kernels_for(p, this_isa())) {
    INFO(kernel << ": " << text_of(p) << " stride " << operands.a.stride << " seed " << seed);
    const Machine machine(make_plan(p, this_isa(), kernel), operands.weights);
    const auto found = sums_of(p, machine, operands.a, p.n + between(generator, 0, 20));
    const auto differs = std::mismatch(expected.begin(), expected.end(), found.begin(), found.end());
    INFO("first difference at " << differs.first - expected.begin());
    REQUIRE(found == expected);
  }
}

template <typename Number>
std::vector<Number> some_numbers(int64_t count, int least, int most, int divide, Generator& generator) {
  std::vector<Number> numbers(static_cast<size_t>(count));
  for (auto& number : numbers)
    number = static_cast<Number>(between(generator, least, most)) / static_cast<Number>(divide);
  return numbers;
}

// What an epilogue writes: rows of `pixel` numbers.
struct Written {
  std::vector<float> out;
  std::vector<uint8_t> codes;

  Written(int64_t m, int64_t pixel)
      : out(static_cast<size_t>(m * pixel)), codes(static_cast<size_t>(m * pixel + kSlack)) {}
};

// By every kernel, against apply_reference on the reference's sums as one row of m pixels. `epilogue`: its maps of
// inputs hold `pixel` numbers a row; height and width mean nothing.
void compare_written(const Problem& p, const Operands& operands, Epilogue epilogue, int64_t pixel) {
  // Named: clang 14 deduces no arguments of an aggregate.
  const auto row = [&]<typename Code>(Code* data) {
    return requantize::CodeMap<Code>{.data = data, .h = 1, .w = p.m, .pixel = pixel};
  };
  const auto float_row = [&]<typename Float>(Float* data) {
    return requantize::FloatMap<Float>{.data = data, .h = 1, .w = p.m, .pixel = pixel};
  };
  const int64_t padded = requantize::padded_channels(p.n);
  const auto sums = reference(p, operands.weights, operands.a);
  std::vector<int32_t> acc(static_cast<size_t>(p.m * padded));
  for (int64_t i = 0; i < p.m; ++i)
    for (int64_t j = 0; j < p.n; ++j)
      acc[static_cast<size_t>(i * padded + j)] = static_cast<int32_t>(sums[static_cast<size_t>(i * p.n + j)]);
  Written expected(p.m, pixel);
  auto by_hand = epilogue;
  by_hand.partial = float_row(epilogue.partial.data);
  by_hand.residual = float_row(epilogue.residual.data);
  by_hand.residual_codes = row(epilogue.residual_codes.data);
  by_hand.out = float_row(expected.out.data());
  by_hand.codes = row(expected.codes.data());
  requantize::apply_reference(by_hand, {.acc = acc.data(), .stride = padded, .pixels = p.m, .channels = p.n});

  for (const auto& kernel : kernels_for(p, this_isa())) {
    INFO(kernel << ": " << text_of(p));
    const Machine machine(make_plan(p, this_isa(), kernel), operands.weights);
    Written found(p.m, pixel);
    epilogue.out = {.data = found.out.data(), .pixel = pixel};
    epilogue.codes = {.data = found.codes.data(), .pixel = pixel};
    machine.run({.a = operands.a, .sink = requantize::apply_for(this_isa()), .epilogue = &epilogue});
    CHECK(found.codes == expected.codes);
    int64_t differing = 0;
    for (int64_t i = 0; i < p.m * pixel; ++i)
      if (i % pixel < p.n)
        differing += found.out[static_cast<size_t>(i)] == expected.out[static_cast<size_t>(i)] ? 0 : 1;
    CHECK(differing == 0);
  }
}

// Sizes that fold into images of one row, of several, of rows of ten pixels and of one.
constexpr int64_t kRows[] = {1, 37, 67, 96, 1030, 1031};

constexpr Problem kSmall = {.m = 33, .k = 70, .n = 20, .weight_bits = 2, .activation_bits = 3};

}  // namespace

TEST_CASE("all kernels compute the reference's matrix product", "[lowbit_gemm]") {
  Generator generator(20260103);
  int tried = 0;
  while (tried < 200) {
    const auto p = some_product(generator);
    if (!why_not(p).empty()) continue;
    compare(p, generator(), between(generator, 0, 3) == 0 ? Fill::extreme : Fill::random);
    ++tried;
  }
}

TEST_CASE("any number of rows is multiplied", "[lowbit_gemm]") {
  Generator generator(1);
  std::vector<int64_t> rows(140);
  std::iota(rows.begin(), rows.end(), 1);
  for (const int64_t m : {1009, 1023, 1024, 1025, 1030, 1031, 2062}) rows.push_back(m);
  for (const int64_t m : rows) {
    compare({.m = m, .k = 19, .n = 18, .weight_bits = 1, .odd_weights = true, .activation_bits = 2}, generator(),
            Fill::random);
    compare({.m = m, .k = 21, .n = 33, .weight_bits = 8, .activation_shift = -7}, generator(), Fill::extreme);
  }
}

TEST_CASE("the largest sums that fit in 32 bits are exact", "[lowbit_gemm]") {
  Generator generator(2);
  // 65793 * 128 * 255 = 2^31 - 2^7, the same sums of odd weights with half as many, and one code more is refused.
  Problem p = {.m = 3, .k = 65793, .n = 5};
  compare(p, generator(), Fill::extreme);
  p.k += 1;
  CHECK(why_not(p) == "sums of these codes can exceed 32 bits");
  p = {.m = 3, .k = 32896, .n = 5, .odd_weights = true};
  compare(p, generator(), Fill::extreme);
  p.k += 1;
  CHECK(why_not(p) == "sums of these codes can exceed 32 bits");
}

TEST_CASE("columns of a product have their own thresholds", "[lowbit_gemm]") {
  Generator generator(3);
  for (const int64_t m : kRows) {
    const Problem p = {.m = m, .k = 52, .n = 41, .weight_bits = 3, .activation_bits = 4, .activation_shift = -5};
    const Operands operands(p, 56, Fill::random, generator);
    const int64_t padded = requantize::padded_channels(p.n);
    constexpr int32_t kCount = 7;
    auto thresholds = some_numbers<int32_t>(kCount * padded, -400, 400, 1, generator);
    for (int64_t c = 0; c < padded; ++c)
      for (int64_t j = 1; j < kCount; ++j) {  // rising
        auto& here = thresholds[static_cast<size_t>(j * padded + c)];
        here = std::max(here, thresholds[static_cast<size_t>((j - 1) * padded + c)]);
      }
    const auto flip = some_numbers<int32_t>(padded, -1, 0, 1, generator);
    compare_written(p, operands,
                    {.channels = p.n, .thresholds = thresholds.data(), .flip = flip.data(), .count = kCount}, 48);
  }
}

TEST_CASE("a product's sums go through the chain with maps of its rows", "[lowbit_gemm]") {
  Generator generator(4);
  for (const int64_t m : kRows) {
    const Problem p = {.m = m, .k = 33, .n = 23, .weight_bits = 4, .activation_bits = 2};
    const Operands operands(p, 36, Fill::random, generator);
    constexpr int64_t kPixel = 32;
    const auto scale = some_numbers<float>(kPixel, 1, 40, 1024, generator);
    const auto terms = some_numbers<float>(kPixel, -40, 40, 16, generator);
    const auto alpha = some_numbers<float>(kPixel, -40, 40, 16, generator);
    const auto beta = some_numbers<float>(kPixel, -40, 40, 16, generator);
    const auto partial = some_numbers<float>(m * kPixel, -40, 40, 16, generator);
    const auto residual = some_numbers<float>(m * kPixel, -40, 40, 16, generator);
    const auto residual_codes = some_numbers<uint8_t>(m * kPixel + kSlack, 0, 15, 1, generator);
    Epilogue epilogue = {.channels = p.n,
                         .scale = scale.data(),
                         .partial = {.data = partial.data(), .pixel = kPixel},
                         .class_terms = terms.data(),
                         .relu_first = true,
                         .alpha = alpha.data(),
                         .beta = beta.data(),
                         .residual = {.data = residual.data(), .pixel = kPixel},
                         .clamp = true,
                         .lo = -4,
                         .hi = 4};
    epilogue.encoder = {.kind = requantize::Encoder::Kind::affine, .steps = 15, .subtract = -4, .divide = 8};
    epilogue.encoder.multiply = 15;
    compare_written(p, operands, epilogue, kPixel);
    epilogue.residual = {};
    epilogue.residual_codes = {
        .data = residual_codes.data(), .border = 3, .pixel = kPixel};  // the border means nothing
    epilogue.residual_scale = 0.25F;
    compare_written(p, operands, epilogue, kPixel);
  }
}

TEST_CASE("a product is the same on every machine", "[lowbit_gemm]") {
  const Problem p = {
      .m = 75, .k = 150, .n = 70, .weight_bits = 3, .odd_weights = true, .activation_bits = 5, .activation_shift = -9};
  const auto draw = [](int64_t i, int bits) { return static_cast<uint32_t>(i) * 2654435761U >> (32 - bits); };
  std::vector<int8_t> weights(static_cast<size_t>(p.n * p.k));
  std::vector<uint8_t> codes(static_cast<size_t>(p.m * 152 + kSlack));
  for (int64_t i = 0; i < p.n * p.k; ++i)
    weights[static_cast<size_t>(i)] = static_cast<int8_t>(static_cast<int>(draw(i, 3)) - 4);
  for (int64_t i = 0; i < p.m * 152; ++i) codes[static_cast<size_t>(i)] = static_cast<uint8_t>(draw(i + 1000000, 5));
  for (const auto& kernel : kernels_for(p, this_isa())) {
    INFO(kernel);
    std::string bytes;
    for (const auto sum : sums_of(p, Machine(make_plan(p, this_isa(), kernel), weights), {codes.data(), 152}, p.n))
      for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(static_cast<uint64_t>(sum) >> shift);
    CHECK(sha256_hex(bytes) == "c713b01a11ff59e15258608430c7ea7485db3a2ee09726822186b6d8ebfce2af");
  }
}

TEST_CASE("damaged blobs of weights are told", "[lowbit_gemm]") {
  Generator generator(5);
  for (const auto& kernel : kernels_for(kSmall, this_isa())) {
    INFO(kernel);
    const auto plan = make_plan(kSmall, this_isa(), kernel);
    const auto blob = plan.pack(lowbit_conv::some_weights(kSmall.convolution(), generator, Fill::random));
    const Buffer memory(blob.size() + 64);
    const std::span packed(memory.data(), blob.size());
    const auto fault_after = [&](size_t byte) {
      std::memcpy(packed.data(), blob.data(), blob.size());
      packed[byte] ^= std::byte{16};
      return plan.check(packed);
    };
    std::memcpy(packed.data(), blob.data(), blob.size());
    CHECK(plan.check(packed).empty());
    CHECK(plan.check(packed.first(40)) == "packed weights: cut inside the header");
    const auto size = std::to_string(blob.size());
    CHECK(plan.check(packed.first(blob.size() - 64)) ==
          "packed weights: " + std::to_string(blob.size() - 64) + " bytes, expected " + size);
    CHECK(fault_after(0) == "not packed weights");
    CHECK(fault_after(8).starts_with("packed for the kernel "));
    CHECK(fault_after(120) == "packed weights: the header was altered");  // where the tables begin
    CHECK(fault_after(blob.size() - 1) == "packed weights: the checksum is wrong");
    for (const auto& other : {Problem{.m = 34, .k = 70, .n = 20, .weight_bits = 2, .activation_bits = 3},
                              Problem{.m = 33, .k = 69, .n = 20, .weight_bits = 2, .activation_bits = 3},
                              Problem{.m = 33, .k = 70, .n = 20, .weight_bits = 2, .activation_bits = 2}}) {
      std::memcpy(packed.data(), blob.data(), blob.size());
      CHECK(make_plan(other, this_isa(), kernel).check(packed) == "packed for another problem");
    }
    std::memmove(memory.data() + 4, blob.data(), blob.size());
    CHECK(plan.check({memory.data() + 4, blob.size()}) == "packed weights: not 64-byte aligned");
  }
}

TEST_CASE("products that cannot be computed are refused", "[lowbit_gemm]") {
  const auto refused = [](auto change) {
    auto p = kSmall;
    change(p);
    REQUIRE(kernels_for(p, this_isa()).empty());
    REQUIRE_THROWS_AS(make_plan(p, this_isa()), UserError);
    return why_not(p);
  };
  CHECK(why_not(kSmall).empty());
  CHECK(refused([](Problem& p) { p.m = 0; }) == "m, k and n must be at least 1");
  CHECK(refused([](Problem& p) { p.k = -1; }) == "m, k and n must be at least 1");
  CHECK(refused([](Problem& p) { p.n = 0; }) == "m, k and n must be at least 1");
  CHECK(refused([](Problem& p) { p.m = (1 << 24) + 1; }) == "m, k or n beyond 2^24");
  CHECK(refused([](Problem& p) { p.weight_bits = 5; }) == "weights of 5 bits, expected 1, 2, 3, 4 or 8");
  CHECK(refused([](Problem& p) { p.activation_bits = 9; }) == "activations of 9 bits, expected 1 to 8");
  CHECK(refused([](Problem& p) { p.activation_step = 3; }) == "an activation step other than 1 and 2");
  CHECK(refused([](Problem& p) { p.activation_shift = 256; }) == "an activation shift beyond 255");
  const auto message = [](const Problem& p, const std::string& kernel) {
    try {
      make_plan(p, this_isa(), kernel);
    } catch (const UserError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(message({}, "") == "matrix product: m, k and n must be at least 1");
  CHECK(message(kSmall, "none-such").starts_with("no kernel none-such for this problem on this processor"));
}

TEST_CASE("codes that are too large and strides that are too small are refused", "[lowbit_gemm]") {
  const auto plan = make_plan(kSmall, this_isa());
  std::vector<int8_t> weights(static_cast<size_t>(kSmall.n * kSmall.k), 1);
  CHECK_NOTHROW(plan.pack(weights));
  weights.back() = 2;
  CHECK_THROWS_AS(plan.pack(weights), UserError);
  weights.pop_back();
  CHECK_THROWS_AS(plan.pack(weights), LogicFault);
  const uint8_t code = 0;
  int32_t sum = 0;
  const auto refuses = [&](const Arguments& arguments) {
    CHECK_THROWS_AS(plan.execute(0, 0, 1, arguments), LogicFault);
  };
  refuses({.a = {.data = &code, .stride = 68}, .sums = {.data = &sum, .stride = 20}});
  refuses({.a = {.data = &code, .stride = 70}, .sums = {.data = &sum, .stride = 20}});
  refuses({.a = {.data = &code, .stride = 72}, .sums = {.data = &sum, .stride = 19}});
  refuses({.a = {.data = &code, .stride = 72}});
}
