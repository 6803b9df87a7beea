// Places in one block of memory for buffers that are not all needed at once. Torch-free.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace auxbench {

// A buffer that is needed in steps first .. last, both included. No bytes: no place.
struct ArenaRequest {
  size_t bytes = 0, first = 0, last = 0;
};

struct ArenaPlan {
  std::vector<size_t> offsets;  // of each request, multiples of kArenaAlign
  size_t bytes = 0;             // of the block
};

inline constexpr size_t kArenaAlign = 64;

// Largest first, each at the lowest offset where it overlaps no buffer that is needed at the same time. The block is
// never larger than all of them together, each rounded up to kArenaAlign. The same requests give the same plan.
ArenaPlan plan_arena(std::span<const ArenaRequest> requests);

}  // namespace auxbench
