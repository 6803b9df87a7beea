// What the claims' numbers say, as sentences: where the module helps, where it does not, and where nothing is decided.
// Every word follows from the numbers. For .cc files of this room.
#pragma once

#include <string>
#include <vector>

#include "reports/table_model.h"

namespace auxbench {

// One for each row that the claim is about, as claim_texts (texts.h) has them:
//   "TEXT: yes, by 1.6 points (95 % interval +0.8 .. +2.3, 7 seeds)."
//   "TEXT: no, it costs 1.0 points (...)."
//   "TEXT: undecided, +0.4 points (95 % interval -0.7 .. +1.5, 3 seeds): the interval holds zero."
//   with a margin "TEXT: yes, a difference of -0.3 points (...) stays within 1.0.", "no, ... goes beyond 1.0." or
//   "undecided, ...: the interval holds -1.0."
//   "TEXT: one seed (+2.9 points): not evidence."        "TEXT: not measured."
std::vector<std::string> claim_sentences(const ClaimModel& claim);

// How many rows of claims say what. Where claims are in several metrics, what follows is of the first alone. Where three or more seeds decide at least four rows that have full precision beside
// them, also whether gains are larger where the baseline loses more to it: the half with the larger loss against the
// other half. Empty without claims.
std::string claims_summary(const std::vector<ClaimModel>& claims);

}  // namespace auxbench
