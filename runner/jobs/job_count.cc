#include "runner/jobs/job_count.h"

#include <algorithm>

#include "base/error.h"
#include "base/format.h"
#include "base/machine.h"
#include "base/parallel.h"
#include "runner/plan/cost.h"

namespace auxbench {
namespace {

std::string gib(double bytes) { return number_text(bytes / (1 << 30), 1) + " GiB"; }

}  // namespace

MachineShare machine_share() { return {.processors = available_threads(), .memory_bytes = available_memory()}; }

JobCount count_jobs(const Plan& plan, std::optional<int> asked, const MachineShare& share) {
  if (asked && *asked < 1)
    throw UserError(ExitCode::usage, "--jobs " + std::to_string(*asked) + ": expected at least 1");
  int64_t largest = 1;
  int cells = 0;
  for (const auto& cell : plan.cells) {
    if (!cell.selected) continue;
    ++cells;
    largest = std::max(largest, memory_estimate(cell.spec));
  }
  const auto fit = share.memory_bytes > 0 ? static_cast<int>(std::min<int64_t>(share.memory_bytes / largest, 1 << 20))
                                          : share.processors;
  const int usual = plan.device_class == "cpu" ? std::min(share.processors, std::max(fit, 1)) : 1;
  JobCount count = {.jobs = std::clamp(asked.value_or(usual), 1, std::max(cells, 1))};
  if (share.memory_bytes > 0 && count.jobs > std::max(fit, 1))
    count.warning = "--jobs " + std::to_string(count.jobs) + ": the workers may take about " +
                    gib(static_cast<double>(largest) * count.jobs) + " of memory and " +
                    gib(static_cast<double>(share.memory_bytes)) + " are free: some may be killed";
  return count;
}

}  // namespace auxbench
