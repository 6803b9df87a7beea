// When a run will be over: the time several jobs take for cells that wait for one another.
#pragma once

#include <cstddef>
#include <vector>

namespace auxbench {

struct Work {
  double seconds = 0;
  std::vector<size_t> needs{};  // places in the list, each before its own
};

// Each of `jobs` >= 1 workers takes, whenever it is free, the first piece of the list that nobody has taken and whose
// needs are done. Seconds until the last piece is done.
double makespan(const std::vector<Work>& work, int jobs);

}  // namespace auxbench
