// How many workers a run gets.
#pragma once

#include <optional>
#include <string>

#include "runner/plan/plan.h"

namespace auxbench {

struct JobCount {
  int jobs = 1;
  std::string warning{};  // more than the memory may hold; or empty
};

struct MachineShare {
  int processors = 1;
  int64_t memory_bytes = 0;  // available; 0: unknown
};

// What this process may use now: base/parallel.h, base/machine.h.
MachineShare machine_share();

// As many as were asked for, or as processors and memory allow; one on a GPU; never more than there are selected cells.
// Throws UserError(usage) for fewer than one.
JobCount count_jobs(const Plan& plan, std::optional<int> asked, const MachineShare& share);

}  // namespace auxbench
