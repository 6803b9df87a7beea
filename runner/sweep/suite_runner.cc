#include "runner/sweep/suite_runner.h"

#include <chrono>
#include <csignal>

#include "base/interrupt.h"
#include "runner/sweep/loaded_data.h"

namespace auxbench {
namespace {

std::string outcome_text(const Record& record) {
  std::string text;
  for (const auto& metric : record.metrics) {
    const std::string value = std::to_string(metric.value);
    text += metric.name + " " + value.substr(0, value.find('.') + 3) + ", ";
  }
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
    case Status::interrupted:
      ++result.not_run;
      break;
    default:
      ++result.failed;
  }
  for (const auto& [part, sign] : {std::pair{"train", 1}, std::pair{"evaluate", 1}, std::pair{"earlier runs", -1}})
    if (const auto found = record.seconds.find(part); found != record.seconds.end())
      result.cell_seconds += sign * found->second;
}

class SuiteRun {
 public:
  SuiteRun(const Plan& plan, const RunContext& context, const RunOptions& options, Store& store, Progress& progress)
      : context_(context), options_(options), store_(store), progress_(progress) {
    for (const auto& cell : plan.cells)
      if (cell.selected) cells_.push_back(&cell);
  }

  RunResult run() {
    for (const auto* cell : cells_)
      if (cell->unsupported.empty() && !cell->missing.empty()) cell_data(cell->spec, dataset_request(context_));
    for (size_t i = 0; i < cells_.size(); ++i) {
      const std::string place = "[" + std::to_string(i + 1) + "/" + std::to_string(cells_.size()) + "] ";
      if (must_stop())
        ++result_.not_run;
      else
        run_one(*cells_[i], place + cells_[i]->slug);
    }
    result_.signal = signal_received();
    result_.wall_seconds = elapsed();
    return result_;
  }

 private:
  void run_one(const PlannedCell& cell, const std::string& label) {
    if (is_cached(store_, cell.id)) {
      ++result_.cached;
      progress_.line(label + ": cached, " + outcome_text(*store_.find(cell.id)));
      return;
    }
    if (cell.unsupported.empty()) progress_.line(label + " ...");
    const auto record = run_cell(cell, context_, store_, progress_);
    // An interrupted cell leaves its checkpoint, not a record that would hide an older one.
    if (record.status != Status::interrupted) store_.save(record);
    discard_checkpoint(store_, record);
    if (options_.after_cell) options_.after_cell();
    count(record, result_);
    failed_ = failed_ || record.status == Status::failed || record.status == Status::diverged;
    progress_.line(label + ": " + outcome_text(record));
  }

  [[nodiscard]] bool must_stop() const {
    if (signal_received() != 0 || (failed_ && options_.fail_fast)) return true;
    return options_.budget_seconds && elapsed() > *options_.budget_seconds;
  }

  [[nodiscard]] double elapsed() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

  std::vector<const PlannedCell*> cells_;  // selected
  const RunContext& context_;
  const RunOptions& options_;
  Store& store_;
  Progress& progress_;
  RunResult result_;
  bool failed_ = false;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace

RunResult run_suite(const Plan& plan, const RunContext& context, const RunOptions& options, Store& store,
                    Progress& progress) {
  return SuiteRun(plan, context, options, store, progress).run();
}

ExitCode exit_code(const RunResult& result) {
  if (result.signal == SIGINT) return ExitCode::interrupted;
  if (result.signal == SIGTERM) return ExitCode::terminated;
  if (result.failed > 0) return ExitCode::cells_failed;
  if (result.completed + result.cached == 0) return ExitCode::nothing_ran;
  return ExitCode::ok;
}

}  // namespace auxbench
