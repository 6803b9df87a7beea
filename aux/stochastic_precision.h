// Stochastic precision (Zhuang et al., arXiv 1908.04680): in each step each residual block computes at full precision
// with a probability that falls linearly from `probability` to zero over the first `until` of the training.
//
// The draws follow from seed and iteration alone, so that a resumed training draws the same.
#pragma once

#include "aux/training_method.h"

namespace auxbench {

std::unique_ptr<TrainingMethod> make_stochastic_precision(int64_t seed, double probability, double until);

}  // namespace auxbench
