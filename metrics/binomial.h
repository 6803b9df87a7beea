// What luck alone reaches: the tail of the binomial distribution.
#pragma once

#include <cstdint>

namespace auxbench {

// The smallest k with P(X > k) <= doubt, where X counts the hits of `trials` independent guesses that are each right
// with `probability`. More hits than k are no luck, but for one case in 1 / doubt.
//
// trials >= 0, 0 < probability < 1, 0 < doubt < 1.
int64_t most_hits_by_luck(int64_t trials, double probability, double doubt);

}  // namespace auxbench
