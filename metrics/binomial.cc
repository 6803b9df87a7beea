#include "metrics/binomial.h"

#include <cmath>

#include "base/check.h"

namespace auxbench {

int64_t most_hits_by_luck(int64_t trials, double probability, double doubt) {
  AUXBENCH_CHECK(trials >= 0 && probability > 0 && probability < 1 && doubt > 0 && doubt < 1,
                 "a count of trials, and probabilities between 0 and 1");
  // P(X = k) in logarithms: the first terms of many trials are smaller than any double. The tail is summed from its
  // small end, so that no digits are lost.
  const auto log_choose = [&](int64_t k) {
    return std::lgamma(static_cast<double>(trials) + 1) - std::lgamma(static_cast<double>(k) + 1) -
           std::lgamma(static_cast<double>(trials - k) + 1);
  };
  double above = 0;  // P(X > k)
  for (int64_t k = trials; k > 0; --k) {
    const auto hits = static_cast<double>(k), misses = static_cast<double>(trials - k);
    above += std::exp(log_choose(k) + hits * std::log(probability) + misses * std::log1p(-probability));
    if (above > doubt) return k;
  }
  return 0;
}

}  // namespace auxbench
