#include "base/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/machine.h"

namespace auxbench {
namespace {

int processors_allowed() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

void parallel_for(size_t count, int threads, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next = 0;
  std::exception_ptr first;
  std::mutex guard;
  const auto take_pieces = [&] {
    for (size_t i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {
        next = count;
        const std::scoped_lock lock(guard);
        if (!first) first = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    const auto useful = std::min(static_cast<size_t>(std::max(threads, 1)), count);
    for (size_t i = 1; i < useful; ++i) helpers.emplace_back(take_pieces);
    take_pieces();
  }
  if (first) std::rethrow_exception(first);
}

int available_threads() {
  // Half a processor's worth of time is worth a thread: it waits, it does not disturb.
  const double share = std::ceil(cgroup_processors().value_or(1e6));
  return std::max(1, std::min(processors_allowed(), static_cast<int>(share)));
}

}  // namespace auxbench
