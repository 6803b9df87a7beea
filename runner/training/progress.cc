#include "runner/training/progress.h"

#include <unistd.h>

#include <cstdio>
#include <string>

namespace auxbench {

Progress::Progress(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0) {}

void Progress::line(const std::string& text) {
  if (quiet_) return;
  erase_bar();
  std::fprintf(stderr, "%s\n", text.c_str());
}

void Progress::warning(const std::string& text) {
  erase_bar();
  std::fprintf(stderr, "warning: %s\n", text.c_str());
}

void Progress::start_cell(const std::string& label, int64_t total_steps, int64_t done_steps) {
  label_ = label;
  total_ = total_steps;
  started_at_ = done_steps;
  begin_ = drawn_ = Clock::now();
}

void Progress::advance(int64_t done_steps, double loss) {
  const auto now = Clock::now();
  if (quiet_ || !terminal_ || now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  const double elapsed = std::chrono::duration<double>(now - begin_).count();
  const auto here = static_cast<double>(done_steps - started_at_);
  const double left = here > 0 ? elapsed / here * static_cast<double>(total_ - done_steps) : 0;
  constexpr int kWidth = 24;
  const auto filled = static_cast<int>(total_ > 0 ? kWidth * done_steps / total_ : kWidth);
  const std::string bar =
      std::string(static_cast<size_t>(filled), '#') + std::string(static_cast<size_t>(kWidth - filled), '.');
  std::fprintf(stderr, "\r\033[K%s [%s] %lld/%lld loss %.3f, %s left", label_.c_str(), bar.c_str(),
               static_cast<long long>(done_steps), static_cast<long long>(total_), loss, duration_text(left).c_str());
  std::fflush(stderr);
  bar_shown_ = true;
}

void Progress::end_cell() { erase_bar(); }

void Progress::erase_bar() {
  if (bar_shown_) std::fputs("\r\033[K", stderr);
  bar_shown_ = false;
}

}  // namespace auxbench
