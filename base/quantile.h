// An order statistic of a few timings.
#pragma once

#include <algorithm>
#include <vector>

namespace auxbench {

// The nearest of the sorted values at q in [0, 1]; there is at least one value.
inline double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

}  // namespace auxbench
