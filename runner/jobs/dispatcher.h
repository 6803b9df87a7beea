// A run: a plan's cells handed to worker processes, each when what it needs has its record, until all of them have one.
//
// Several runs may share a folder: a cell is computed by whose worker gets its lease, and the others take the record from
// the disk when it is there. A worker that dies, or does nothing for too long, costs its cell: that is tried once more in
// a new worker, then recorded as failed; the others go on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "results/store.h"
#include "runner/jobs/run_screen.h"
#include "runner/plan/plan.h"

namespace auxbench {

struct DispatchOptions {
  std::vector<std::string> worker;       // the arguments that make this program a worker
  int jobs = 1;                          // workers; a cell of several threads takes the place of as many
  std::optional<double> budget_seconds;  // no new cell starts after it
  bool fail_fast = false;                // the first cell that fails ends the run; the others leave their checkpoints
  std::function<void()> after_cell;      // called when a cell's record is safe, if set
  double silence_seconds = 3600;         // a worker at a cell that gets nothing done for so long is killed
};

struct RunResult {
  int completed = 0, cached = 0, skipped = 0, failed = 0, not_run = 0;
  double cell_seconds = 0;    // training and evaluation in this run, summed over workers
  double worker_seconds = 0;  // of all workers, but for waiting while no cell was ready
  double wall_seconds = 0;    // everything
  int signal = 0;
};

// The plan's selected cells; those that are finished are not run again. The first signal (base/interrupt.h) is passed on
// to the workers, which leave their cells at a checkpoint. Throws UserError when no worker can go on at all.
RunResult dispatch(const Plan& plan, const DispatchOptions& options, Store& store, RunScreen& screen);

// The exit code a run ends with.
ExitCode exit_code(const RunResult& result);

}  // namespace auxbench
