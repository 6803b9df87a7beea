// A whole suite: cells in order, finished ones skipped, failures kept apart.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "runner/plan/plan.h"
#include "runner/sweep/cell_runner.h"

namespace auxbench {

struct RunOptions {
  std::optional<double> budget_seconds;  // no new cell starts after it
  bool fail_fast = false;
  std::function<void()> after_cell;  // called when a cell's record is safe, if set
};

struct RunResult {
  int completed = 0, cached = 0, skipped = 0, failed = 0, not_run = 0;
  double cell_seconds = 0;  // training and evaluation in this run
  double wall_seconds = 0;  // everything
  int signal = 0;
};

// The plan's selected cells, in its order; those that are cached are not run again. Throws UserError(data_missing) when
// the data of one of them are not here.
RunResult run_suite(const Plan& plan, const RunContext& context, const RunOptions& options, Store& store,
                    Progress& progress);

// The exit code a run ends with.
ExitCode exit_code(const RunResult& result);

}  // namespace auxbench
