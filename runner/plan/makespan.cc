#include "runner/plan/makespan.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <set>
#include <utility>

#include "base/check.h"

namespace auxbench {

double makespan(const std::vector<Work>& work, int jobs) {
  AUXBENCH_CHECK(jobs >= 1, "at least one job");
  std::vector<size_t> missing(work.size());               // needs that are not done
  std::vector<std::vector<size_t>> waiting(work.size());  // pieces that need this one
  std::set<size_t> ready;
  for (size_t i = 0; i < work.size(); ++i) {
    missing[i] = work[i].needs.size();
    for (const auto needed : work[i].needs) {
      AUXBENCH_CHECK(needed < i, "a piece behind what it needs");
      waiting[needed].push_back(i);
    }
    if (missing[i] == 0) ready.insert(i);
  }
  using Running = std::pair<double, size_t>;  // when it ends, which
  std::priority_queue<Running, std::vector<Running>, std::greater<>> running;
  double now = 0;
  while (!ready.empty() || !running.empty()) {
    for (; !ready.empty() && running.size() < static_cast<size_t>(jobs); ready.erase(ready.begin()))
      running.emplace(now + work[*ready.begin()].seconds, *ready.begin());
    const auto [end, done] = running.top();
    running.pop();
    now = end;
    for (const auto next : waiting[done])
      if (--missing[next] == 0) ready.insert(next);
  }
  return now;
}

}  // namespace auxbench
