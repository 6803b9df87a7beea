// The libraries may be absent: what is checked then is that their absence is told. AUXBENCH_ONEDNN3 names a
// libdnnl.so.3 (scripts/onednn prints one) that the dynamic linker would not find.
#include "runner/bench/opponents/opponent.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "tests/support/catch.h"

using namespace auxbench::opponents;

namespace {

std::vector<std::string> libraries() {
  const char* third = std::getenv("AUXBENCH_ONEDNN3");
  return {"libdnnl.so.2", third == nullptr ? "libdnnl.so.3" : third};
}

// Null, and told once, where there is none.
std::unique_ptr<Opponent> opponent(const std::string& library, const Layer& layer, Arithmetic arithmetic,
                                   const Conditions& conditions = {}) {
  static std::set<std::string> told;
  auto made = make_onednn(library, layer, arithmetic, conditions);
  CHECK((made.opponent == nullptr) == !made.reason.empty());
  if (made.opponent == nullptr && told.insert(library + made.reason).second)
    WARN("not checked, " << name_of(arithmetic) << ": " << made.reason);
  return std::move(made.opponent);
}

// How far a result may lie from the exact y: codes by their rounding, bf16 by 8 bits of its weights and of y.
double tolerance(Arithmetic arithmetic, double y) {
  switch (arithmetic) {
    case Arithmetic::fp32:
      return 0.01;
    case Arithmetic::bf16:
      return 1 + y / 128;
    case Arithmetic::int8:
      return 0.5 + 1e-3;
  }
  return 0;
}

void require_right(const Layer& layer, Arithmetic arithmetic, const std::vector<float>& found) {
  const auto exact = reference(layer);
  REQUIRE(found.size() == exact.size());
  for (size_t i = 0; i < found.size(); ++i) {
    const double y = arithmetic == Arithmetic::int8 ? std::min(255.0, exact[i]) : exact[i];
    if (std::abs(static_cast<double>(found[i]) - y) > tolerance(arithmetic, y)) {
      INFO("output " << i << " is " << found[i] << " instead of " << y);
      REQUIRE(false);
    }
  }
}

// LeakSanitizer of g++ 12 falls over what an opened library keeps for a thread of OpenMP's.
#ifdef __SANITIZE_ADDRESS__
const std::vector<int> kThreads = {1};
#else
const std::vector<int> kThreads = {1, 2};
#endif

const std::vector<ConvShape> kShapes = {
    {.n = 1, .h = 14, .w = 14, .c = 64, .out = 64, .r = 3, .s = 3, .stride = 1, .pad = 1},
    {.n = 1, .h = 9, .w = 11, .c = 64, .out = 256},
    {.n = 1, .h = 32, .w = 32, .c = 3, .out = 64, .r = 7, .s = 7, .stride = 2, .pad = 3},
    {.n = 2, .h = 17, .w = 19, .c = 7, .out = 13, .r = 5, .s = 3, .stride = 2, .pad = 2},
};

}  // namespace

TEST_CASE("opponents: the plain loop on a layer worked out by hand", "[kernels]") {
  const Layer layer = {.shape = {.n = 1, .h = 2, .w = 2, .c = 1, .out = 2, .r = 2, .s = 2, .stride = 1, .pad = 1},
                       .x = {1, 2, 3, 4},
                       .w = {10, 0, 0, 1, -1, -1, -1, -1},
                       .scale = {0.5F, 1},
                       .bias = {1, 4}};
  // The first channel: x to the lower right of the output plus ten times x to its upper left, halved, plus 1.
  const std::vector<double> first = {1.5, 2, 1, 2.5, 8, 11, 1, 16, 21};
  const std::vector<double> second = {3, 1, 2, 0, 0, 0, 1, 0, 0};
  const auto y = reference(layer);
  REQUIRE(y.size() == 18);
  for (size_t i = 0; i < 9; ++i) {
    CHECK(y[2 * i] == first[i]);
    CHECK(y[2 * i + 1] == second[i]);
  }
}

TEST_CASE("opponents: a random layer is the same each time, inside its codes, and seldom cut", "[kernels]") {
  const auto layer = random_layer(kShapes[0], 1, 15, 7), again = random_layer(kShapes[0], 1, 15, 7);
  CHECK(layer.x == again.x);
  CHECK(layer.w == again.w);
  CHECK(layer.w != random_layer(kShapes[0], 2, 15, 7).w);
  CHECK(*std::max_element(layer.x.begin(), layer.x.end()) == 15);
  CHECK(*std::min_element(layer.w.begin(), layer.w.end()) == -7);
  const auto y = reference(layer);
  const auto inside = std::count_if(y.begin(), y.end(), [](double value) { return value > 0 && value < 255; });
  CHECK(4 * inside > 3 * static_cast<int64_t>(y.size()));
}

TEST_CASE("opponents: oneDNN computes the layer, in every arithmetic, with one thread and with two", "[kernels]") {
  for (const auto& library : libraries())
    for (const auto arithmetic : {Arithmetic::fp32, Arithmetic::bf16, Arithmetic::int8})
      for (const int threads : kThreads)
        for (const auto& shape : kShapes) {
          const auto layer = random_layer(shape, 7);
          const auto made = opponent(library, layer, arithmetic, {.threads = threads});
          if (made == nullptr) break;
          INFO(made->library() << ", " << made->implementation() << ", " << name_of(arithmetic) << ", " << threads);
          CHECK(made->library().rfind("oneDNN ", 0) == 0);
          CHECK(!made->implementation().empty());
          made->run();
          require_right(layer, arithmetic, made->output());
        }
}

TEST_CASE("opponents: every copy of cold weights is the same", "[kernels]") {
  const auto layer = random_layer(kShapes[0], 7);
  const auto bytes = static_cast<int64_t>(layer.w.size());
  for (const auto& library : libraries()) {
    const auto made = opponent(library, layer, Arithmetic::int8, {.cold_bytes = 3 * bytes});
    if (made == nullptr) continue;
    for (int i = 0; i < 4; ++i) {
      made->run();
      require_right(layer, Arithmetic::int8, made->output());
    }
  }
}

TEST_CASE("opponents: versions 2 and 3 side by side agree on the codes", "[kernels]") {
  const auto layer = random_layer(kShapes[1], 3);
  const auto names = libraries();
  const auto second = opponent(names[0], layer, Arithmetic::int8), third = opponent(names[1], layer, Arithmetic::int8);
  if (second == nullptr || third == nullptr) return;
  CHECK(second->library() != third->library());
  for (int i = 0; i < 2; ++i) {
    second->run();
    third->run();
  }
  const auto a = second->output(), b = third->output();
  size_t different = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    REQUIRE(std::abs(a[i] - b[i]) <= 1);
    if (a[i] != b[i]) ++different;
  }
  CHECK(1000 * different <= a.size());  // halves, rounded either way
}

TEST_CASE("opponents: a library that is not there is a reason", "[kernels]") {
  const auto layer = random_layer({.h = 1, .w = 1, .c = 16, .out = 16}, 1);
  for (const char* library : {"libno-such-library.so.7", "libm.so.6"}) {
    const auto made = make_onednn(library, layer, Arithmetic::fp32, {});
    CHECK(made.opponent == nullptr);
    CHECK(made.reason.find(library[3] == 'n' ? library : "dnnl_version") != std::string::npos);
  }
}

TEST_CASE("opponents: data that do not fit the shape, or no thread, are a fault", "[kernels]") {
  const ConvShape shape = {.h = 4, .w = 4, .c = 16, .out = 16, .r = 3, .s = 3};
  auto layer = random_layer(shape, 1);
  CHECK_THROWS_AS(make_onednn("libdnnl.so.2", layer, Arithmetic::int8, {.threads = 0}), auxbench::LogicFault);
  CHECK_THROWS_AS(make_onednn("libdnnl.so.2", layer, Arithmetic::int8, {.threads = 2, .processors = {0}}),
                  auxbench::LogicFault);
  layer.w.pop_back();
  CHECK_THROWS_AS(make_onednn("libdnnl.so.2", layer, Arithmetic::int8, {}), auxbench::LogicFault);
  layer = random_layer(shape, 1);
  layer.shape.r = 5;
  CHECK_THROWS_AS(make_onednn("libdnnl.so.2", layer, Arithmetic::int8, {}), auxbench::LogicFault);
}
