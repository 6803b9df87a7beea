#include "base/interrupt.h"

#include <csignal>

namespace auxbench {
namespace {

volatile std::sig_atomic_t received = 0;

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

int signal_received() { return received; }

}  // namespace auxbench
