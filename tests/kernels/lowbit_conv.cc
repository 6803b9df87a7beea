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

TEST_CASE("weights that were packed for one image size serve every other", "[lowbit_conv]") {
  Generator generator(20260102);
  int tried = 0;
  while (tried < 60) {
    const auto p = some_problem(generator);
    auto other = p;
    other.h = between(generator, 1, 40);
    other.w = between(generator, 1, 40);
    other.n = between(generator, 1, 3);
    other.threads = static_cast<int>(between(generator, 1, 5));
    if (!why_not(p).empty() || !why_not(other).empty()) continue;
    ++tried;
    const auto codes = some_weights(p, generator, Fill::random);
    for (const char* cap : {"generic", "avx2", "avx512", "amx"}) {
      const auto isa = detect_isa(cap);
      const auto able = kernels_for(other, isa);
      for (const auto& kernel : kernels_for(p, isa)) {
        if (std::find(able.begin(), able.end(), kernel) == able.end()) continue;
        INFO(kernel << ": " << text_of(p) << " and " << text_of(other));
        const auto plan = make_plan(p, isa, kernel);
        const auto weights = plan.pack_weights(codes), others = make_plan(other, isa, kernel).pack_weights(codes);
        REQUIRE(weights.size() == others.size());
        REQUIRE(std::memcmp(weights.data(), others.data(), weights.size()) == 0);
        // Tables, then weights, are the blob.
        const auto blob = plan.pack(codes), tables = plan.pack_tables(codes);
        REQUIRE(blob.size() >= tables.size() + weights.size());
        REQUIRE(std::memcmp(blob.data() + tables.size(), weights.data(), weights.size()) == 0);
        REQUIRE(std::equal(tables.begin() + 256, tables.end(), blob.begin() + 256));
      }
    }
  }
}
