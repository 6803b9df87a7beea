#include "runner/sweep/worker.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "base/files/file.h"
#include "base/interrupt.h"
#include "base/work_counter.h"
#include "runner/jobs/lease.h"
#include "runner/jobs/messages.h"
#include "runner/training/device.h"

namespace auxbench {
namespace {

using Kind = WorkerMessage::Kind;
using std::chrono::milliseconds;

// Messages go out whole, from any thread. Standard output itself becomes standard error: libraries print what they like.
class Mouth {
 public:
  Mouth() : descriptor_(dup(STDOUT_FILENO)) { dup2(STDERR_FILENO, STDOUT_FILENO); }
  ~Mouth() { close(descriptor_); }
  Mouth(const Mouth&) = delete;
  Mouth& operator=(const Mouth&) = delete;

  // A run that is gone hears nothing; the input's end says so.
  void say(const WorkerMessage& message) {
    const auto text = line_of(message) + "\n";
    const std::scoped_lock lock(guard_);
    for (size_t sent = 0; sent < text.size();) {
      const auto count = write(descriptor_, text.data() + sent, text.size() - sent);
      if (count < 0 && errno != EINTR) return;
      if (count > 0) sent += static_cast<size_t>(count);
    }
  }

 private:
  int descriptor_;
  std::mutex guard_;
};

// Lines of the standard input, read by a thread of its own: their end must be seen while a cell is at work.
class Ear {
 public:
  Ear() : thread_([this](const std::stop_token& stop) { listen(stop); }) {}

  // Waits for one; none when there will be no more, or a signal came.
  std::optional<std::string> next() {
    std::unique_lock lock(guard_);
    while (lines_.empty() && !ended_ && signal_received() == 0) heard_.wait_for(lock, milliseconds(100));
    if (lines_.empty() || signal_received() != 0) return std::nullopt;
    auto line = std::move(lines_.front());
    lines_.pop_front();
    return line;
  }
  // The input ended while a cell was at work: the run is gone, and the cell goes to its checkpoint.
  void working(bool now) {
    const std::scoped_lock lock(guard_);
    working_ = now;
    if (working_ && ended_) request_end(SIGTERM);
  }

 private:
  void listen(const std::stop_token& stop) {
    std::string rest;
    std::array<char, 4096> buffer{};
    while (!stop.stop_requested()) {
      pollfd input = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
      if (poll(&input, 1, 200) <= 0) continue;
      const auto got = read(STDIN_FILENO, buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      rest.append(buffer.data(), static_cast<size_t>(got));
      for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
        const std::scoped_lock lock(guard_);
        lines_.push_back(rest.substr(0, end));
        rest.erase(0, end + 1);
        heard_.notify_all();
      }
    }
    const std::scoped_lock lock(guard_);
    ended_ = true;
    if (working_) request_end(SIGTERM);
    heard_.notify_all();
  }

  std::mutex guard_;
  std::condition_variable heard_;
  std::deque<std::string> lines_;
  bool ended_ = false, working_ = false;
  std::jthread thread_;  // last: it uses the others
};

// Says that we are alive, and beats for the lease.
class Heart {
 public:
  explicit Heart(Mouth& mouth) : mouth_(mouth), thread_([this](const std::stop_token& stop) { beat(stop); }) {}

  void hold(Lease* lease) {
    const std::scoped_lock lock(guard_);
    lease_ = lease;
  }

 private:
  void beat(const std::stop_token& stop) {
    auto last = std::chrono::steady_clock::now();
    std::unique_lock lock(guard_);
    while (!wake_.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; }) && !stop.stop_requested()) {
      mouth_.say({.kind = Kind::alive, .work = work_counter().load()});
      const auto now = std::chrono::steady_clock::now();
      if (lease_ == nullptr || std::chrono::duration<double>(now - last).count() < kBeatSeconds) continue;
      lease_->beat();
      last = now;
    }
  }

  Mouth& mouth_;
  Lease* lease_ = nullptr;
  std::mutex guard_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

// Five times a second at most.
class SaidProgress final : public Progress {
 public:
  SaidProgress(Mouth& mouth, std::string cell) : mouth_(mouth), cell_(std::move(cell)) {}

  void start_cell(const std::string& /*label*/, int64_t total_steps, int64_t done_steps) override {
    total_ = total_steps;
    say(done_steps, 0);
  }
  void advance(int64_t done_steps, double loss) override {
    count_work();
    if (done_steps < total_ && std::chrono::steady_clock::now() - said_ < milliseconds(200)) return;
    say(done_steps, loss);
  }

 private:
  void say(int64_t done, double loss) {
    mouth_.say({.kind = Kind::step, .cell = cell_, .done = done, .total = total_, .loss = loss});
    said_ = std::chrono::steady_clock::now();
  }

  Mouth& mouth_;
  std::string cell_;
  int64_t total_ = 0;
  std::chrono::steady_clock::time_point said_;
};

double seconds_at_work(const Record& record) {
  double sum = 0;
  for (const auto& [part, sign] : {std::pair{"train", 1}, std::pair{"evaluate", 1}, std::pair{"earlier runs", -1}})
    if (const auto found = record.seconds.find(part); found != record.seconds.end()) sum += sign * found->second;
  return sum;
}

class CellWorker {
 public:
  CellWorker(const RunContext& context, const RecordFolder& folder, Mouth& mouth, Heart& heart)
      : context_(context), folder_(folder), mouth_(mouth), heart_(heart) {}

  WorkerMessage work_on(const PlannedCell& cell) {
    WorkerMessage outcome = {.cell = cell.id};
    const auto lease = Lease::take(folder_.cell_folder(cell.id));
    if (!lease) {
      outcome.kind = Kind::busy;
      return outcome;
    }
    heart_.hold(lease.get());
    try {
      outcome.kind = with_lease(cell, *lease, outcome.seconds);
    } catch (...) {
      heart_.hold(nullptr);
      throw;
    }
    heart_.hold(nullptr);
    return outcome;
  }

 private:
  Kind with_lease(const PlannedCell& cell, const Lease& lease, double& seconds) {
    const auto before = folder_.read(cell.id);
    if (before && folder_.is_finished(*before)) return Kind::cached;
    mouth_.say({.kind = Kind::started, .cell = cell.id});
    remove_unfinished(folder_.cell_folder(cell.id));
    SaidProgress progress(mouth_, cell.id);
    const auto record = run_cell(cell, context_, folder_, progress);
    seconds = seconds_at_work(record);
    if (!lease.is_ours()) return Kind::lost;
    // An interrupted cell leaves its checkpoint, not a record that would hide an older one.
    if (record.status == Status::interrupted) return Kind::interrupted;
    folder_.save(record);
    discard_checkpoint(folder_, record);
    return Kind::saved;
  }

  const RunContext& context_;
  const RecordFolder& folder_;
  Mouth& mouth_;
  Heart& heart_;
};

}  // namespace

ExitCode work_on_cells(RunContext context, const RecordFolder& folder) {
  std::signal(SIGPIPE, SIG_IGN);
  Mouth mouth;
  Ear ear;
  Heart heart(mouth);
  mouth.say({.kind = Kind::ready, .detail = context.provenance});
  CellWorker worker(context, folder, mouth, heart);
  try {
    while (const auto line = ear.next()) {
      const auto cell = cell_of(*line);
      ear.working(true);
      const auto outcome = worker.work_on(cell);
      ear.working(false);
      mouth.say(outcome);
    }
    return ExitCode::ok;
  } catch (const UserError& error) {
    mouth.say({.kind = Kind::fatal, .code = static_cast<int>(error.code()), .text = error.what()});
    return error.code();
  }
}

}  // namespace auxbench
