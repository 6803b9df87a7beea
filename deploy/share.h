// Independent work on OpenMP's threads.
#pragma once

#include <omp.h>

#include <cstdint>

namespace auxbench {

// Parts 0 .. count of it, cut into as many pieces as threads, in order: work(first, last, thread).
template <typename Work>
void share(int threads, int64_t count, const Work& work) {
  if (threads == 1 || count == 1) return work(int64_t{0}, count, 0);
#pragma omp parallel num_threads(threads)
  {
    const int64_t each = omp_get_thread_num(), all = omp_get_num_threads();
    const int64_t first = count * each / all, last = count * (each + 1) / all;
    if (first < last) work(first, last, static_cast<int>(each));
  }
}

}  // namespace auxbench
