// What a run says while it works, on stderr: a bar with the time left on a terminal, plain lines elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/duration.h"

namespace auxbench {

class Progress {
 public:
  // quiet: nothing but warnings and errors.
  explicit Progress(bool quiet);

  void line(const std::string& text);     // a whole line, above the bar
  void warning(const std::string& text);  // even when quiet

  // The bar of one cell: `done` of `total` steps; redrawn ten times a second at most.
  void start_cell(const std::string& label, int64_t total_steps, int64_t done_steps);
  void advance(int64_t done_steps, double loss);
  void end_cell();

 private:
  using Clock = std::chrono::steady_clock;
  void erase_bar();

  bool quiet_, terminal_;
  bool bar_shown_ = false;
  std::string label_;
  int64_t total_ = 0, started_at_ = 0;
  Clock::time_point begin_, drawn_;
};

}  // namespace auxbench
