#include "base/interrupt.h"

#include <csignal>

namespace auxbench {
namespace {

volatile std::sig_atomic_t received = 0;
volatile std::sig_atomic_t requested = 0;  // no signal: the first that comes is not the second

void remember(int signal) {
  if (received != 0) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  received = signal;
}

}  // namespace

void watch_signals() {
  std::signal(SIGINT, remember);
  std::signal(SIGTERM, remember);
}

void request_end(int signal) { requested = signal; }

int signal_received() { return received != 0 ? received : requested; }

}  // namespace auxbench
