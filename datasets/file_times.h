// When files changed, for caches of what they hold.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <ctime>

namespace auxbench {

// Nanoseconds since 1970.
inline int64_t nanoseconds(const timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}
inline int64_t changed_at(const struct stat& known) { return nanoseconds(known.st_mtim); }
inline int64_t nanoseconds_now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return nanoseconds(time);
}

// What changed as it was read may change again within the tick of its clock, and nobody would notice. begin: when reading
// began.
inline bool is_settled(int64_t changed, int64_t begin) { return changed < begin - int64_t{2} * 1'000'000'000; }

}  // namespace auxbench
