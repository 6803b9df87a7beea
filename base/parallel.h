// Independent pieces of work on several threads.
#pragma once

#include <cstddef>
#include <functional>

namespace auxbench {

// Calls work(0) .. work(count - 1), each once, in no order, on up to `threads` threads of which this is one. After an
// exception no new piece is begun; the first one is thrown here when all threads are done.
void parallel_for(size_t count, int threads, const std::function<void(size_t)>& work);

// Threads this process may run at once: the processors it may use, or fewer where a control group allows less of their
// time. At least 1.
int available_threads();

}  // namespace auxbench
