// The convolution on matrix tiles, run on tiles in software, against the int64 reference: its code is tested on
// processors that have no tiles. A program of its own, with a table of its own.
#include "kernels/lowbit_conv/kernel.h"
#include "tests/kernels/conv_problems.h"

namespace auxbench::lowbit_conv {

extern const Kernel amx_emulated_kernel;

std::span<const Kernel* const> all_kernels() {
  static const Kernel* const kernels[] = {&amx_emulated_kernel};
  return kernels;
}

}  // namespace auxbench::lowbit_conv

using namespace auxbench;
using namespace auxbench::lowbit_conv;

namespace {

constexpr auto kCaps = {"generic"};  // software needs no more

void compare_both(const Problem& p, Generator& generator) {
  REQUIRE(why_not(p).empty());
  compare(p, generator(), Fill::random, kCaps);
  compare(p, generator(), Fill::extreme, kCaps);
}

// Codings that the kernel treats differently: steps and odd grids are folded into weights or not, borders have a code
// of value 0 or not.
std::vector<Problem> codings_of(Problem p, std::initializer_list<int> weight_bits) {
  std::vector<Problem> problems;
  for (const int bits : weight_bits)
    for (const bool odd : {false, true})
      for (const int step : {1, 2})
        for (const int shift : {0, -3, 2}) {
          p.weight_bits = bits;
          p.odd_weights = odd;
          p.activation_bits = 3;
          p.activation_step = step;
          p.activation_shift = shift;
          problems.push_back(p);
        }
  return problems;
}

}  // namespace

TEST_CASE("matrix tiles compute what the reference computes", "[lowbit_conv][amx]") {
  Generator generator(20260102);
  int tried = 0;
  while (tried < 200) {
    const auto p = some_problem(generator);
    if (!why_not(p).empty()) continue;
    compare(p, generator(), between(generator, 0, 3) == 0 ? Fill::extreme : Fill::random, kCaps);
    ++tried;
  }
}

TEST_CASE("matrix tiles compute layers whose weights stay packed", "[lowbit_conv][amx]") {
  Generator generator(1);
  // More than 2^20 weights; an odd number of tiles of outputs; several images.
  for (const auto& p : codings_of({.n = 2, .h = 2, .w = 3, .c = 1024, .out = 1030}, {1, 2, 4}))
    compare(p, generator(), Fill::random, kCaps);
  // As many whose channels do not fill the steps: these stay bytes.
  compare_both({.h = 2, .w = 2, .c = 1001, .out = 1060, .weight_bits = 1, .odd_weights = true}, generator);
  for (const int bits : {1, 2, 3, 4, 8})
    compare_both(
        {.h = 5, .w = 5, .c = 512, .out = 240, .r = 3, .s = 3, .pad = 1, .weight_bits = bits, .activation_bits = 4},
        generator);
}

TEST_CASE("matrix tiles take few channels a kernel row at a time", "[lowbit_conv][amx]") {
  Generator generator(2);
  for (const auto& p : codings_of({.h = 9, .w = 21, .c = 3, .out = 20, .r = 7, .s = 7, .stride = 2, .pad = 3}, {1, 8}))
    for (int again = 0; again < 3; ++again) compare(p, generator(), Fill::random, kCaps);  // pixels of 4 bytes and more
  for (const int64_t c : {1, 4, 5, 15, 16, 17, 32, 33, 48, 64, 65, 80})
    for (const int64_t s : {1, 2, 3, 5, 20})
      compare_both(
          {.h = 4, .w = 22, .c = c, .out = 40, .r = 2, .s = s, .pad = 1, .weight_bits = 2, .odd_weights = true},
          generator);
}

TEST_CASE("matrix tiles cover rows of any width", "[lowbit_conv][amx]") {
  Generator generator(3);
  // Lines through several rows, tiles of one row, rows of several tiles; blocks of unequal height.
  for (int64_t w = 1; w <= 70; ++w)
    for (const int64_t stride : {1, 2}) {
      const Problem p = {.n = 1 + w % 2,
                         .h = 7 + w % 5,
                         .w = w,
                         .c = 68,
                         .out = 16 * (1 + w % 5),
                         .r = 3,
                         .s = 3,
                         .stride = stride,
                         .pad = 1,
                         .weight_bits = w % 3 == 0 ? 8 : 4,
                         .odd_weights = w % 2 == 0,
                         .activation_bits = 4,
                         .activation_shift = w % 4 == 0 ? 1 : 0};
      compare(p, generator(), Fill::random, kCaps);
    }
}
