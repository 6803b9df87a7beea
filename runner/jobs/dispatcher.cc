#include "runner/jobs/dispatcher.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <list>

#include "base/duration.h"
#include "base/format.h"
#include "base/interrupt.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "runner/jobs/cell_queue.h"
#include "runner/jobs/lease.h"
#include "runner/jobs/messages.h"
#include "runner/jobs/worker_process.h"

namespace auxbench {
namespace {

using Kind = WorkerMessage::Kind;
using State = CellQueue::State;

constexpr int kPollMilliseconds = 100;
constexpr double kLookSeconds = 1;       // between two looks at cells that other runs have
constexpr double kFarewellSeconds = 20;  // for a worker without a cell to leave
constexpr int kTries = 2;
constexpr std::string_view kComplaint = "auxbench: ";  // runner/app/main.cc

std::string outcome_text(const Record& record) {
  std::string text;
  for (const auto& metric : record.metrics) text += metric.name + " " + number_text(metric.value, 2) + ", ";
  if (record.status != Status::completed) return text + status_name(record.status) + ": " + record.reason;
  return text.substr(0, text.size() - 2) + " (" + duration_text(record.seconds.at("total")) + ")";
}

void count(const Record& record, RunResult& result) {
  switch (record.status) {
    case Status::completed:
    case Status::mistrusted:
      ++result.completed;
      break;
    case Status::skipped:
      ++result.skipped;
      break;
    default:
      ++result.failed;
  }
}

struct Worker {
  explicit Worker(const std::vector<std::string>& arguments) : process(arguments) {}

  WorkerProcess process;
  std::optional<size_t> cell;
  CellProgress progress;
  Stopwatch life, cell_time, silence;
  double idle_seconds = 0;
  Stopwatch idle;
  int64_t work = 0;
  bool ready = false;
  bool killed_for_silence = false;
  std::string last_error;  // line on its stderr
};

class Dispatcher {
 public:
  Dispatcher(const Plan& plan, const DispatchOptions& options, Store& store, RunScreen& screen)
      : plan_(plan), options_(options), store_(store), screen_(screen), queue_(plan), tries_(queue_.size(), 0) {}

  RunResult run() {
    settle_finished();
    while (!is_over()) {
      if (!is_ending()) hand_out();
      wait();
      hear_all();
      end_the_silent();
      pass_on_signal();
      if (look_.seconds() >= kLookSeconds) look_elsewhere();
      draw();
    }
    dismiss();
    if (fatal_) throw UserError(fatal_->code(), fatal_->what());
    result_.not_run = static_cast<int>(queue_.size() - queue_.count(State::settled));
    result_.signal = signal_received();
    result_.wall_seconds = begin_.seconds();
    return result_;
  }

 private:
  [[nodiscard]] std::string label(size_t i) const {
    return "[" + std::to_string(i + 1) + "/" + std::to_string(queue_.size()) + "] " + queue_.cell(i).slug;
  }

  [[nodiscard]] bool anyone_busy() const {
    return std::any_of(workers_.begin(), workers_.end(), [](const Worker& worker) { return worker.cell.has_value(); });
  }
  // Once and for all: no cell is begun any more.
  [[nodiscard]] bool is_ending() const {
    if (signal_received() != 0 || fatal_ || (failed_ && options_.fail_fast)) return true;
    return options_.budget_seconds && begin_.seconds() > *options_.budget_seconds;
  }
  [[nodiscard]] bool is_over() const {
    if (anyone_busy()) return false;
    return is_ending() || queue_.count(State::settled) == queue_.size();
  }

  void settle_cached(size_t i) {
    ++result_.cached;
    queue_.set(i, State::settled);
    screen_.line(label(i) + ": cached, " + outcome_text(*store_.find(queue_.cell(i).id)));
  }

  [[nodiscard]] bool is_finished(size_t i) {
    const auto record = store_.find(queue_.cell(i).id);
    return record && store_.is_finished(*record);
  }

  void settle_finished() {
    for (size_t i = 0; i < queue_.size(); ++i)
      if (is_finished(i)) settle_cached(i);
  }

  // ---- cells to workers

  [[nodiscard]] int places_of(size_t i) const { return std::min(queue_.cell(i).spec.threads, options_.jobs); }
  [[nodiscard]] int places_taken() const {
    int taken = 0;
    for (const auto& worker : workers_)
      if (worker.cell) taken += places_of(*worker.cell);
    return taken;
  }

  // A cell that finds no room keeps those behind it waiting, or it would never be its turn.
  void hand_out() {
    for (auto i = queue_.next(); i; i = queue_.next()) {
      if (places_taken() + places_of(*i) > options_.jobs) return;
      store_.refresh(queue_.cell(*i).id);
      if (is_finished(*i)) {
        settle_cached(*i);
      } else if (is_free(*i)) {
        give(*i);
      } else {
        queue_.set(*i, State::elsewhere);
      }
    }
  }

  // Nobody has its lease, or who had it is gone.
  bool is_free(size_t i) {
    const auto folder = store_.cell_folder(queue_.cell(i).id);
    const auto look = watch_.look(folder);
    if (look.state == LeaseWatch::State::none) return true;
    if (look.state == LeaseWatch::State::held || !take_away(folder, look.note)) return false;
    screen_.line(label(i) + ": taken over from " + holder_text(look.note) + ", which has left it");
    return true;
  }

  Worker& idle_worker() {
    for (auto& worker : workers_)
      if (!worker.cell) return worker;
    return workers_.emplace_back(options_.worker);
  }

  void give(size_t i) {
    auto& worker = idle_worker();
    worker.idle_seconds += worker.idle.seconds();
    worker.cell = i;
    worker.progress = {.label = label(i)};
    worker.cell_time = worker.silence = Stopwatch();
    queue_.set(i, State::running);
    worker.process.send(line_of(queue_.cell(i)));
  }

  // ---- what workers say

  void wait() {
    std::vector<pollfd> waiting;
    for (const auto& worker : workers_)
      for (const int descriptor : {worker.process.output(), worker.process.errors()})
        if (descriptor >= 0) waiting.push_back({.fd = descriptor, .events = POLLIN, .revents = 0});
    poll(waiting.data(), waiting.size(), kPollMilliseconds);
  }

  void hear_all() {
    for (auto worker = workers_.begin(); worker != workers_.end();) {
      for (const auto& line : worker->process.output_lines()) hear(message_of(line), *worker);
      const auto end = worker->process.output() < 0 ? worker->process.end() : std::nullopt;
      for (const auto& line : worker->process.error_lines()) hear_error(line, *worker);
      if (!end) {
        ++worker;
        continue;
      }
      bury(*worker, *end);
      worker = workers_.erase(worker);
    }
  }

  void hear(const WorkerMessage& message, Worker& worker) {
    if (message.kind != Kind::alive || message.work != worker.work) worker.silence = Stopwatch();
    switch (message.kind) {
      case Kind::ready:
        worker.ready = true;
        provenance_ = message.detail.get<Provenance>();
        return;
      case Kind::alive:
        worker.work = message.work;
        return;
      case Kind::step:
        if (worker.progress.total == 0) {
          worker.progress.begun = message.done;
          worker.cell_time = Stopwatch();
        }
        worker.progress.done = message.done, worker.progress.total = message.total;
        worker.progress.loss = message.loss;
        return;
      case Kind::fatal:
        if (!fatal_) fatal_.emplace(static_cast<ExitCode>(message.code), message.text);
        return;
      default:
        if (worker.cell) hear_of_cell(message, *worker.cell, worker);
    }
  }

  // Before it is ready a worker ends with its one line for the user: that is the run's error.
  void hear_error(const std::string& line, Worker& worker) {
    worker.last_error = line;
    if (worker.ready || !line.starts_with(kComplaint)) screen_.warning(line);
  }

  void hear_of_cell(const WorkerMessage& message, size_t i, Worker& worker) {
    if (message.kind == Kind::started) {
      if (queue_.cell(i).unsupported.empty()) screen_.line(label(i) + " ...");
      return;
    }
    worker.cell.reset();
    worker.idle = Stopwatch();
    result_.cell_seconds += message.seconds;
    const auto record = store_.refresh(queue_.cell(i).id);
    if (message.kind == Kind::saved && record) return settle(i, *record);
    if (message.kind == Kind::cached && record) return settle_cached(i);
    queue_.set(i, message.kind == Kind::busy ? State::elsewhere : State::waiting);
    if (message.kind == Kind::lost && !std::filesystem::exists(store_.folder() / "cells") && !fatal_)
      fatal_.emplace(ExitCode::usage, store_.folder().string() +
                                          ": the results folder is no longer there; where it was moved to, the same "
                                          "command goes on from its checkpoints");
  }

  void settle(size_t i, const Record& record) {
    queue_.set(i, State::settled);
    count(record, result_);
    failed_ = failed_ || record.status == Status::failed || record.status == Status::diverged;
    const auto& cell = queue_.cell(i);
    if (const auto total = record.seconds.find("total"); total != record.seconds.end() && cell.estimated_seconds > 0) {
      spent_ += total->second;
      spent_by_estimate_ += cell.estimated_seconds;
    }
    if (options_.after_cell) options_.after_cell();
    screen_.line(label(i) + ": " + outcome_text(record));
  }

  // ---- workers that die

  void end_the_silent() {
    for (auto& worker : workers_) {
      if (!worker.cell || worker.silence.seconds() < options_.silence_seconds) continue;
      worker.killed_for_silence = true;
      worker.process.signal(SIGKILL);
      worker.silence = Stopwatch();
    }
  }

  void bury(Worker& worker, const WorkerEnd& end) {
    result_.worker_seconds += worker.life.seconds() - worker.idle_seconds - (worker.cell ? 0 : worker.idle.seconds());
    if (!worker.cell || fatal_) {
      if (worker.cell) queue_.set(*worker.cell, State::waiting);
      return;
    }
    const auto i = *worker.cell;
    if (!worker.ready && end.exit_code != 0 && worker.last_error.starts_with(kComplaint)) {
      queue_.set(i, State::waiting);
      fatal_.emplace(static_cast<ExitCode>(end.exit_code), worker.last_error.substr(kComplaint.size()));
      return;
    }
    const auto folder = store_.cell_folder(queue_.cell(i).id);
    if (const auto note = read_lease(folder); note && note->process == worker.process.process())
      take_away(folder, *note);
    queue_.set(i, State::waiting);
    if (signal_received() != 0) return;
    std::string reason = "its worker " + end.text();
    if (worker.killed_for_silence)
      reason = "its worker got nothing done for " + duration_text(options_.silence_seconds) + " and was killed";
    if (!worker.last_error.empty()) reason += "; " + worker.last_error;
    if (++tries_[i] < kTries) {
      screen_.warning(label(i) + ": " + reason + "; tried once more");
      return;
    }
    fail(i, reason, worker.life.seconds());
  }

  void fail(size_t i, const std::string& reason, double seconds) {
    const auto& cell = queue_.cell(i);
    Record record;
    record.id = cell.id;
    record.slug = cell.slug;
    record.spec = cell_to_json(cell.spec);
    record.status = Status::failed;
    record.reason = reason + "; tried " + std::to_string(kTries) + " times";
    record.provenance = provenance_;
    record.provenance.data_manifest = cell.data_manifest;
    record.rerun = plan_.command + " --only " + shell_word(record.slug);
    record.seconds["total"] = seconds;
    store_.save(record);
    settle(i, record);
  }

  // ---- the rest

  // Workers are in groups of their own: a terminal's Ctrl-C has not reached them.
  void pass_on_signal() {
    const bool stop_all = failed_ && options_.fail_fast;
    const int number = signal_received() != 0 ? signal_received() : stop_all || fatal_ ? SIGTERM : 0;
    if (number == 0 || passed_on_) return;
    passed_on_ = true;
    for (const auto& worker : workers_) worker.process.signal(number);
  }

  // Those whose record is there are settled; those whose lease is free wait for a worker of ours again.
  void look_elsewhere() {
    look_ = Stopwatch();
    for (size_t i = 0; i < queue_.size(); ++i) {
      if (queue_.state(i) != State::elsewhere) continue;
      store_.refresh(queue_.cell(i).id);
      if (is_finished(i))
        settle_cached(i);
      else if (watch_.look(store_.cell_folder(queue_.cell(i).id)).state != LeaseWatch::State::held)
        queue_.set(i, State::waiting);
    }
  }

  // About: what the plan expects of the cells to come, as it was right about those that are done.
  [[nodiscard]] double seconds_left() const {
    double expected = 0;
    for (size_t i = 0; i < queue_.size(); ++i)
      if (queue_.state(i) != State::settled) expected += queue_.cell(i).estimated_seconds;
    for (const auto& worker : workers_)
      if (worker.cell && worker.progress.total > 0)
        expected -= queue_.cell(*worker.cell).estimated_seconds * static_cast<double>(worker.progress.done) /
                    static_cast<double>(worker.progress.total);
    const double correction = spent_by_estimate_ > 0 ? spent_ / spent_by_estimate_ : 1;
    return std::max(0.0, expected) * correction / options_.jobs;
  }

  void draw() {
    if (!screen_.wants_bars()) return;
    RunProgress progress = {.settled = queue_.count(State::settled),
                            .all = queue_.size(),
                            .elsewhere = queue_.count(State::elsewhere),
                            .seconds = begin_.seconds(),
                            .left = seconds_left()};
    for (auto& worker : workers_) {
      if (!worker.cell) continue;
      worker.progress.seconds = worker.cell_time.seconds();
      progress.running.push_back(worker.progress);
    }
    screen_.bars(progress);
  }

  void dismiss() {
    screen_.erase();
    for (auto& worker : workers_) worker.process.close_input();
    const Stopwatch farewell;
    while (!workers_.empty() && farewell.seconds() < kFarewellSeconds) {
      wait();
      hear_all();
    }
    workers_.clear();  // kills who is left
  }

  const Plan& plan_;
  const DispatchOptions& options_;
  Store& store_;
  RunScreen& screen_;
  CellQueue queue_;
  std::vector<int> tries_;  // that a worker has died of, by cell
  std::list<Worker> workers_;
  LeaseWatch watch_;
  Provenance provenance_;  // of the last worker that started
  RunResult result_;
  std::optional<UserError> fatal_;
  bool failed_ = false, passed_on_ = false;
  double spent_ = 0, spent_by_estimate_ = 0;  // seconds of cells of this run, and what the plan thought
  Stopwatch begin_, look_;
};

}  // namespace

RunResult dispatch(const Plan& plan, const DispatchOptions& options, Store& store, RunScreen& screen) {
  return Dispatcher(plan, options, store, screen).run();
}

ExitCode exit_code(const RunResult& result) {
  if (result.signal == SIGINT) return ExitCode::interrupted;
  if (result.signal == SIGTERM) return ExitCode::terminated;
  if (result.failed > 0) return ExitCode::cells_failed;
  if (result.completed + result.cached == 0) return ExitCode::nothing_ran;
  return ExitCode::ok;
}

}  // namespace auxbench
