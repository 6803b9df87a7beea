#include "runner/sweep/suite_runner.h"

#include <chrono>
#include <csignal>
#include <set>

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

ReportTable table_of(const Table& table) {
  ReportTable laid = {.id = table.id,
                      .title = table.title,
                      .source = table.source,
                      .note = table.note,
                      .metrics = table.metrics,
                      .columns = {},
                      .rows = {}};
  for (const auto& column : table.columns) laid.columns.push_back({column.id, column.title, column.role});
  for (const auto& row : table.rows) {
    laid.rows.push_back({.title = row.title, .epoch = row.epoch, .entries = {}});
    for (const auto& entry : row.entries)
      laid.rows.back().entries.push_back({.cell_ids = entry.cells, .reported = entry.reported});
  }
  return laid;
}

std::vector<std::string> missing_data(const std::map<std::string, Record>& records) {
  std::set<std::string> found;
  for (const auto& [id, record] : records)
    if (const auto missing = record.facts.find("data_missing"); missing != record.facts.end())
      found.insert(missing->second.get<std::string>());
  return {found.begin(), found.end()};
}

// Where the records were made; before there are any, `here`.
std::string ran_on(const std::map<std::string, Record>& records, const std::string& here) {
  std::set<std::string> machines;
  for (const auto& [id, record] : records) machines.insert(machine_text(record.provenance.device, record.provenance));
  if (machines.empty()) machines.insert(here);
  std::string text;
  for (const auto& machine : machines) text += (text.empty() ? "" : "; ") + machine;
  return text;
}

}  // namespace

RunResult run_suite(const Plan& plan, const RunContext& context, const RunOptions& options, Store& store,
                    Progress& progress) {
  return SuiteRun(plan, context, options, store, progress).run();
}

ReportInput report_input(const Plan& plan, const std::map<std::string, Record>& records, const std::string& here) {
  ReportInput input;
  input.suite = plan.suite;
  input.title = plan.title;
  input.tier = plan.tier;
  input.command = plan.command;
  input.proxy = plan.proxy;
  input.proxy_reason = plan.proxy_reason;
  for (const auto& cell : plan.cells) {
    if (!cell.selected) continue;
    input.cell_order.push_back(cell.id);
    if (const auto found = records.find(cell.id); found != records.end()) input.records.insert(*found);
  }
  input.ran_on = ran_on(input.records, here);
  input.missing_data = missing_data(input.records);
  for (const auto& table : plan.tables) input.tables.push_back(table_of(table));
  for (const auto& claim : plan.claims) input.claims.push_back({claim.text, claim.table, claim.row, claim.column});
  return input;
}

std::string machine_text(const std::string& device, const Provenance& made) {
  std::string text = device + ", " + std::to_string(made.threads) + " threads";
  for (const auto& part : {made.cpu, made.gpu})
    if (!part.empty()) text += ", " + part;
  return text;
}

ExitCode exit_code(const RunResult& result) {
  if (result.signal == SIGINT) return ExitCode::interrupted;
  if (result.signal == SIGTERM) return ExitCode::terminated;
  if (result.failed > 0) return ExitCode::cells_failed;
  if (result.completed + result.cached == 0) return ExitCode::nothing_ran;
  return ExitCode::ok;
}

}  // namespace auxbench
