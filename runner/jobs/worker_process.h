// A worker: the same program once more, in a process of its own, that computes one cell after another.
//
// It is in a process group of its own, so that a terminal's Ctrl-C reaches the run alone, and hears SIGTERM when the run
// dies. Its OpenMP has one thread, which a cell's own `threads` may raise, and no waiting thread of it spins.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace auxbench {

struct WorkerEnd {
  int exit_code = 0;
  int signal = 0;                          // 0: it left by itself
  int64_t peak_bytes = 0;                  // the most memory it had
  [[nodiscard]] std::string text() const;  // "was killed by signal 9 (Killed); ..."
};

class WorkerProcess {
 public:
  // Arguments behind the program's name. Throws UserError(usage) when no process can be made.
  explicit WorkerProcess(const std::vector<std::string>& arguments);
  // Kills what still lives.
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  [[nodiscard]] pid_t process() const { return process_; }
  // To poll; -1 once they have ended.
  [[nodiscard]] int output() const { return output_.descriptor; }
  [[nodiscard]] int errors() const { return errors_.descriptor; }

  // Whole lines that are there now; the last may be a rest without its newline once the stream has ended.
  std::vector<std::string> output_lines() { return lines_of(output_); }
  std::vector<std::string> error_lines() { return lines_of(errors_); }

  // A line and its newline; a worker that is gone does not read it, and its end is told by end().
  void send(const std::string& line);
  void signal(int number) const;
  // No more cells: it leaves when it has none.
  void close_input();

  // How it ended; none while it lives.
  std::optional<WorkerEnd> end();

 private:
  struct Stream {
    int descriptor = -1;
    std::string rest{};  // of a line that has not ended
  };
  static std::vector<std::string> lines_of(Stream& stream);

  pid_t process_ = -1;
  int input_ = -1;
  Stream output_, errors_;
  std::optional<WorkerEnd> end_;
};

}  // namespace auxbench
