// Places of buffers in one block of memory.
#include "deploy/arena.h"

#include <numeric>

#include "base/random.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

std::vector<ArenaRequest> some_requests(RandomStream& random) {
  std::vector<ArenaRequest> requests(1 + random.below(40));
  for (auto& request : requests) {
    request.first = random.below(30);
    request.last = request.first + random.below(8);
    request.bytes = random.below(5) == 0 ? 0 : 1 + random.below(random.below(2) == 0 ? 200 : 5000);
  }
  return requests;
}

size_t aligned(size_t bytes) { return (bytes + kArenaAlign - 1) / kArenaAlign * kArenaAlign; }

}  // namespace

TEST_CASE("buffers that are needed at once never overlap, and together are no larger than alone", "[arena]") {
  RandomStream random(5);
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    const auto requests = some_requests(random);
    const auto plan = plan_arena(requests);
    REQUIRE(plan.offsets.size() == requests.size());
    size_t sum = 0;
    for (size_t a = 0; a < requests.size(); ++a) {
      const auto& one = requests[a];
      sum += aligned(one.bytes);
      REQUIRE(plan.offsets[a] % kArenaAlign == 0);
      REQUIRE(plan.offsets[a] + one.bytes <= plan.bytes);
      for (size_t b = 0; b < a; ++b) {
        const auto& other = requests[b];
        const bool at_once = one.first <= other.last && other.first <= one.last && one.bytes > 0 && other.bytes > 0;
        const bool apart =
            plan.offsets[a] + one.bytes <= plan.offsets[b] || plan.offsets[b] + other.bytes <= plan.offsets[a];
        REQUIRE((apart || !at_once));
      }
    }
    REQUIRE(plan.bytes <= sum);
    REQUIRE(plan_arena(requests).offsets == plan.offsets);
  }
}

TEST_CASE("a chain of buffers needs memory for its widest link", "[arena]") {
  // Each is read by the next: 300 and 200 stand side by side, all others beside one of them.
  const std::vector<ArenaRequest> chain = {{.bytes = 64, .first = 0, .last = 1},
                                           {.bytes = 320, .first = 1, .last = 2},
                                           {.bytes = 192, .first = 2, .last = 3},
                                           {.bytes = 128, .first = 3, .last = 4}};
  CHECK(plan_arena(chain).bytes == 320 + 192);
  CHECK(plan_arena({}).bytes == 0);
}
