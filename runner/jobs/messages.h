// What a run and its worker processes tell each other: one JSON object a line, cells on the worker's standard input,
// what becomes of them on its standard output.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "runner/plan/plan.h"

namespace auxbench {

// The verb by which the program starts itself as a worker; no user types it.
inline constexpr const char* kWorkerVerb = "worker";

struct WorkerMessage {
  enum class Kind {
    ready,        // after its start; `detail` is its provenance (results/record.h)
    alive,        // once a second; `work` has grown where something got done (base/work_counter.h)
    started,      // it has leased `cell`
    step,         // of `cell`: `done` of `total`, `loss`
    saved,        // `cell` has a new record; `done` and `total` unused, `seconds` of training and evaluation
    cached,       // `cell` had one already
    busy,         // another process has the lease
    interrupted,  // `cell` stands at its checkpoint
    lost,         // the lease was taken over, or the folder is no longer there
    fatal,        // no cell can go on: `text` and `code` are for the user
  };
  Kind kind = Kind::alive;
  std::string cell{};
  int64_t work = 0;
  int64_t done = 0, total = 0;
  double loss = 0;
  double seconds = 0;
  int code = 0;
  std::string text{};
  nlohmann::json detail{};
};

// Without its newline. The second throws UserError(usage) for a line that is none.
std::string line_of(const WorkerMessage& message);
WorkerMessage message_of(const std::string& line);

// The only thing that a worker is told: to compute a cell.
std::string line_of(const PlannedCell& cell);
PlannedCell cell_of(const std::string& line);

}  // namespace auxbench
