// Where and by what a number was made.
#pragma once

#include <string>

#include "results/record.h"

namespace auxbench {

// Compiler, torch, machine and source tree as they are now; device and data are the caller's to fill in. Where the
// source tree is not there (a packed program on another machine) AUXBENCH_COMMIT says which it was: a commit, with
// "-dirty" behind it for one with changes.
Provenance collect_provenance();

// "2026-01-31T12:00:00Z"
std::string utc_now();

}  // namespace auxbench
