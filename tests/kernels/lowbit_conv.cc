// Every kernel against the int64 reference: shapes, tails, strides, borders, codings, extreme codes, guard pages.
#include "base/error.h"
#include "base/files/sha256.h"
#include "tests/kernels/conv_problems.h"

using namespace auxbench;
using namespace auxbench::lowbit_conv;

TEST_CASE("all kernels compute what the reference computes", "[lowbit_conv]") {
  Generator generator(20260101);
  int tried = 0;
  while (tried < 250) {
    const auto p = some_problem(generator);
    if (!why_not(p).empty()) continue;
    compare(p, generator(), between(generator, 0, 3) == 0 ? Fill::extreme : Fill::random);
    ++tried;
  }
}
