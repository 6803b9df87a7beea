// A worker process: cells come in on its standard input, one after another, and what becomes of them goes out on its
// standard output (runner/jobs/messages.h).
#pragma once

#include "base/error.h"
#include "runner/sweep/cell_runner.h"

namespace auxbench {

// Until the input ends or a signal comes: a cell under way then stands at its checkpoint. What data and programs print is
// sent to standard error.
//
// A cell is computed by whoever gets its lease (runner/jobs/lease.h); that is given back when the record is safe. Its
// record is kept to itself when the lease is no longer ours.
ExitCode work_on_cells(RunContext context, const RecordFolder& folder);

}  // namespace auxbench
