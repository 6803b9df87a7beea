#include "runner/jobs/run_screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/duration.h"
#include "base/format.h"
#include "base/output.h"
#include "base/text.h"

namespace auxbench {
namespace {

constexpr size_t kBar = 24;

std::string cut(const std::string& text, size_t width) {
  if (text.size() <= width) return text;
  return width > 3 ? text.substr(0, width - 3) + "..." : text.substr(0, width);
}

// Its name gives way first, then its end.
std::string cell_line(const CellProgress& cell, size_t width) {
  std::string rest = " starting";
  if (cell.total > 0) {
    const auto done = static_cast<double>(cell.done), total = static_cast<double>(cell.total);
    const auto filled = std::min(kBar, static_cast<size_t>(static_cast<double>(kBar) * done / total));
    rest = " [" + std::string(filled, '#') + std::string(kBar - filled, '.') + "] " + std::to_string(cell.done) + "/" +
           std::to_string(cell.total) + " loss " + number_text(cell.loss, 3);
    const auto here = static_cast<double>(cell.done - cell.begun);
    if (cell.done >= cell.total)
      rest += ", evaluating";
    else if (here > 0)
      rest += ", " + duration_text(cell.seconds / here * (total - done)) + " left";
  }
  constexpr size_t kShortestName = 12;
  const size_t room = width > rest.size() + kShortestName ? width - rest.size() : kShortestName;
  return cut(cut(cell.label, room) + rest, width);
}

std::string run_line(const RunProgress& progress, size_t hidden, size_t width) {
  std::string text = std::to_string(progress.settled) + " of " + std::to_string(progress.all) + " cells";
  if (hidden > 0) text += ", " + std::to_string(hidden) + " more running";
  if (progress.elsewhere > 0) text += ", " + std::to_string(progress.elsewhere) + " in another run";
  text += "; " + duration_text(progress.seconds);
  if (progress.left > 0) text += ", about " + duration_text(progress.left) + " left";
  return cut(text, width);
}

struct Size {
  size_t width = 80, height = 24;
};

Size terminal_size() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {.width = size.ws_col, .height = size.ws_row};
}

}  // namespace

std::vector<std::string> screen_lines(const RunProgress& progress, size_t width, size_t height) {
  const size_t shown = std::min(progress.running.size(), std::max<size_t>(height, 1) - 1);
  std::vector<std::string> lines;
  for (size_t i = 0; i < shown; ++i) lines.push_back(cell_line(progress.running[i], width));
  lines.push_back(run_line(progress, progress.running.size() - shown, width));
  return lines;
}

RunScreen::RunScreen(bool quiet) : quiet_(quiet), terminal_(is_screen(STDERR_FILENO)) {}

void RunScreen::line(const std::string& text) {
  if (quiet_) return;
  erase();
  warn_line("%s", text.c_str());
}

void RunScreen::warning(const std::string& text) {
  erase();
  warn_line("warning: %s", text.c_str());
}

bool RunScreen::wants_bars() const {
  return !quiet_ && terminal_ && Clock::now() - drawn_ >= std::chrono::milliseconds(100);
}

void RunScreen::bars(const RunProgress& progress) {
  erase();
  // One column and one line are left free: a terminal that is filled to its edge moves.
  const auto size = terminal_size();
  const auto lines = screen_lines(progress, std::max<size_t>(size.width, 2) - 1, std::max<size_t>(size.height, 2) - 1);
  std::string text;
  for (const auto& line : lines) text += (text.empty() ? "" : "\n") + printable(line);
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
  shown_ = lines.size();
  drawn_ = Clock::now();
}

void RunScreen::erase() {
  if (shown_ == 0) return;
  std::string text = "\r\033[K";
  for (size_t i = 1; i < shown_; ++i) text += "\033[A\033[K";
  std::fputs(text.c_str(), stderr);
  shown_ = 0;
}

}  // namespace auxbench
