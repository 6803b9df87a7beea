// SIGINT and SIGTERM become a flag that the training loop reads between steps: checkpoint, record, leave.
// A second signal ends the process at once; what was recorded stays.
#pragma once

namespace auxbench {

void watch_signals();

// For a process that learns in another way that it shall end, as if a signal had come. A first true signal after it still
// is the first.
void request_end(int signal);

// 0, or the number of the signal that asked the run to end.
int signal_received();

}  // namespace auxbench
