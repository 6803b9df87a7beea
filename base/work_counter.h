// How much this process has worked: a number that grows while something gets done and stands still while nothing does.
// Who watches over a worker process tells by it whether that is at work; it is nobody's result.
#pragma once

#include <atomic>
#include <cstdint>

namespace auxbench {

inline std::atomic<int64_t>& work_counter() {
  static std::atomic<int64_t> counter = 0;
  return counter;
}

// Called for each batch that is taken and each step that is made.
inline void count_work() { work_counter().fetch_add(1, std::memory_order_relaxed); }

}  // namespace auxbench
