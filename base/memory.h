// How the process keeps its heap.
#pragma once

#include <climits>
#include <cstddef>  // defines __GLIBC__ where it is so

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace auxbench {

// Feature maps come and go by the thousand a second. Given back to the system each time, their pages cost a third of a
// training step; kept in the heap they cost nothing. For main(), before anything is allocated.
inline void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
#endif
}

}  // namespace auxbench
