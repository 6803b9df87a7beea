// Percentile calibration (Li et al. 2019, FQN, section 3.2; MQBench's "quantile"): the largest magnitudes are clipped.
//
//   t = the ceil(p N)-th smallest of N values of |x|;  lo = max(min x, -t), hi = min(max x, t)
// MQBench counts |x| in 2048 bins; here it is the order statistic itself. Grid, gradient, state and codes:
// observed_range.h. Settings: p (0.99999), average (0.9). The whole detector method of that paper is fqn.h.
#pragma once

#include "quantizers/quantizer.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_percentile(Role role, int bits, const QuantizerSettings& settings);

}  // namespace auxbench
