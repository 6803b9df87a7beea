#include "deploy/arena.h"

#include <algorithm>
#include <numeric>

namespace auxbench {
namespace {

size_t aligned(size_t bytes) { return (bytes + kArenaAlign - 1) / kArenaAlign * kArenaAlign; }

bool meet(const ArenaRequest& a, const ArenaRequest& b) { return a.first <= b.last && b.first <= a.last; }

}  // namespace

ArenaPlan plan_arena(std::span<const ArenaRequest> requests) {
  ArenaPlan plan = {.offsets = std::vector<size_t>(requests.size())};
  std::vector<size_t> order(requests.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return requests[a].bytes > requests[b].bytes; });
  std::vector<size_t> placed;  // by offset
  for (const auto i : order) {
    const size_t bytes = aligned(requests[i].bytes);
    if (bytes == 0) continue;
    size_t offset = 0;
    for (const auto other : placed) {
      if (!meet(requests[i], requests[other])) continue;
      if (offset + bytes <= plan.offsets[other]) break;
      offset = std::max(offset, plan.offsets[other] + aligned(requests[other].bytes));
    }
    plan.offsets[i] = offset;
    plan.bytes = std::max(plan.bytes, offset + bytes);
    const auto behind = std::upper_bound(placed.begin(), placed.end(), offset,
                                         [&](size_t value, size_t other) { return value < plan.offsets[other]; });
    placed.insert(behind, i);
  }
  return plan;
}

}  // namespace auxbench
