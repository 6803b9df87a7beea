// What a run says while it works, on stderr: on a terminal whose cursor can be moved a line with a bar for each
// running cell and one for the whole, redrawn in place and cut to its width; elsewhere plain lines.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace auxbench {

struct CellProgress {
  std::string label;
  int64_t done = 0, total = 0;  // steps; total 0: not known yet
  int64_t begun = 0;            // the step at which this run took it up
  double loss = 0;
  double seconds = 0;  // since then
};

struct RunProgress {
  std::vector<CellProgress> running;
  size_t settled = 0, all = 0, elsewhere = 0;  // cells; elsewhere: in other runs
  double seconds = 0;                          // since the run began
  double left = 0;                             // about; 0: not known
};

// No line is longer than `width` or there are more than `height`; the last is the whole run's.
std::vector<std::string> screen_lines(const RunProgress& progress, size_t width, size_t height);

class RunScreen {
 public:
  // quiet: nothing but warnings and errors.
  explicit RunScreen(bool quiet);
  ~RunScreen() { erase(); }
  RunScreen(const RunScreen&) = delete;
  RunScreen& operator=(const RunScreen&) = delete;

  void line(const std::string& text);     // a whole line, above the bars
  void warning(const std::string& text);  // even when quiet

  // False: nobody would see the bars, or they were drawn less than a tenth of a second ago.
  [[nodiscard]] bool wants_bars() const;
  void bars(const RunProgress& progress);
  void erase();

 private:
  using Clock = std::chrono::steady_clock;
  bool quiet_, terminal_;
  size_t shown_ = 0;  // lines
  Clock::time_point drawn_;
};

}  // namespace auxbench
