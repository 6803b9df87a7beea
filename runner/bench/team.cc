#include "runner/bench/team.h"

#include <sched.h>

#include <charconv>
#include <filesystem>
#include <string>

#include "base/error.h"

namespace auxbench::bench {
namespace {

std::set<int> allowed_processors() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  std::set<int> found;
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return found;
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(static_cast<size_t>(i), &mask)) found.insert(i);
  return found;
}

// thread 0: the calling one. A thread that has ended in the meantime is no loss.
void allow(int thread, const std::set<int>& processors) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  for (const int processor : processors) CPU_SET(static_cast<size_t>(processor), &mask);
  sched_setaffinity(thread, sizeof mask, &mask);
}

// Ids rise with age, unless they have wrapped around.
std::set<int> threads_of_process() {
  std::set<int> found;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", none)) {
    const auto name = entry.path().filename().string();
    int id = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), id).ec == std::errc()) found.insert(id);
  }
  return found;
}

}  // namespace

std::vector<int> processors_for(int threads) {
  const auto allowed = allowed_processors();
  if (threads > static_cast<int>(allowed.size()))
    throw UserError(ExitCode::usage, std::to_string(threads) + " threads, and this process may use " +
                                         std::to_string(allowed.size()) + " processors (--threads)");
  return {allowed.begin(), std::next(allowed.begin(), threads)};
}

Bound::Bound(int processor) : before_(allowed_processors()) { allow(0, {processor}); }
Bound::~Bound() { allow(0, before_); }

Team::Team(std::vector<int> processors) : processors_(std::move(processors)), known_(threads_of_process()) {}

void Team::bind_new() {
  size_t next = 0;
  for (const int thread : threads_of_process()) {
    if (!known_.insert(thread).second || processors_.size() < 2) continue;
    allow(thread, {processors_[1 + next++ % (processors_.size() - 1)]});
  }
}

}  // namespace auxbench::bench
