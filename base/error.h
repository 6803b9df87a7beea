// Errors that are a user's to mend, and the exit codes of every program here.
//
// Three doors (CONTRIBUTING.md): a user's mistake throws UserError and leaves with its code; a cell's
// mistake is caught by the runner and becomes a record; our own mistake trips AUXBENCH_CHECK.
#pragma once

#include <stdexcept>
#include <string>

namespace auxbench {

// Documented in README.md; a script may rely on each of them.
enum class ExitCode : int {
  ok = 0,
  gate_failed = 1,
  usage = 2,
  invalid_suite = 3,
  data_missing = 4,
  cells_failed = 5,
  inconclusive = 6,
  nothing_ran = 7,
  output_lost = 8,  // the verb did its work, and not all that it printed has arrived
  own_fault = 70,
  interrupted = 130,
  terminated = 143,
};

// One line, with a place (a path, `file:line:col: /pointer`, a flag) and what to do about it.
class UserError : public std::runtime_error {
 public:
  UserError(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

// For a file that is not what it should be: "PLACE: WHAT", exit code 4.
[[noreturn]] inline void refuse_data(const std::string& place, const std::string& what) {
  throw UserError(ExitCode::data_missing, place + ": " + what);
}

}  // namespace auxbench
