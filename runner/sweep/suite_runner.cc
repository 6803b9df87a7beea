#include "runner/sweep/suite_runner.h"

#include <chrono>
#include <csignal>

#include "base/interrupt.h"
#include "runner/training/device.h"
#include "runner/training/experiment.h"

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
  SuiteRun(const SuiteSpec& suite, const RunContext& context, const RunOptions& options, Store& store,
           Progress& progress)
      : suite_(suite), context_(context), options_(options), store_(store), progress_(progress) {}

  RunResult run() {
    for (size_t i = 0; i < suite_.cells.size(); ++i) {
      const auto& cell = suite_.cells[i].spec;
      const std::string place = "[" + std::to_string(i + 1) + "/" + std::to_string(suite_.cells.size()) + "] ";
      if (must_stop())
        ++result_.not_run;
      else
        run_one(cell, place + cell_slug(cell));
    }
    result_.signal = signal_received();
    result_.wall_seconds = elapsed();
    return result_;
  }

 private:
  void run_one(const CellSpec& cell, const std::string& label) {
    const auto id = identify(cell, context_);
    if (is_cached(store_, id)) {
      ++result_.cached;
      progress_.line(label + ": cached, " + outcome_text(*store_.find(id)));
      return;
    }
    if (why_not_implemented(cell).empty()) progress_.line(label + " ...");
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

  const SuiteSpec& suite_;
  const RunContext& context_;
  const RunOptions& options_;
  Store& store_;
  Progress& progress_;
  RunResult result_;
  bool failed_ = false;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

Table table_of(const TableSpec& spec, const RunContext& context) {
  Table table = {.id = spec.id,
                 .title = spec.title,
                 .source = spec.source,
                 .metrics = spec.metrics,
                 .columns = spec.columns,
                 .rows = {},
                 .note = spec.note};
  for (const auto& row : spec.rows) {
    TableRow laid = {.title = row.title, .epoch = row.epoch, .entries = {}};
    for (const auto& entry : row.entries) {
      TableEntry cells = {.cells = {}, .reported = entry.reported};
      for (const auto& cell : entry.cells) cells.cells.push_back(identify(cell, context));
      laid.entries.push_back(std::move(cells));
    }
    table.rows.push_back(std::move(laid));
  }
  return table;
}

}  // namespace

RunResult run_suite(const SuiteSpec& suite, const RunContext& context, const RunOptions& options, Store& store,
                    Progress& progress) {
  return SuiteRun(suite, context, options, store, progress).run();
}

ReportInput report_input(const SuiteSpec& suite, const RunContext& context,
                         const std::map<std::string, Record>& records, const std::string& command) {
  ReportInput input;
  auto& plan = input.plan;
  plan.suite = suite.name;
  plan.title = suite.title;
  plan.tier = suite.tier;
  plan.command = command;
  plan.proxy = suite.proxy;
  plan.proxy_reason = suite.proxy_reason;
  for (const auto& cell : suite.cells) {
    plan.cells.push_back({.spec = cell.spec, .id = identify(cell.spec, context)});
    if (const auto found = records.find(plan.cells.back().id); found != records.end()) input.records.insert(*found);
  }
  const auto& made = context.provenance;
  input.here = context.device.str() + ", " + std::to_string(made.threads) + " threads";
  for (const auto& part : {made.cpu, made.gpu})
    if (!part.empty()) input.here += ", " + part;
  for (const auto& table : suite.tables) plan.tables.push_back(table_of(table, context));
  for (const auto& claim : suite.claims) plan.claims.push_back({claim.text, claim.table, claim.row, claim.column});
  return input;
}

ExitCode exit_code(const RunResult& result) {
  if (result.signal == SIGINT) return ExitCode::interrupted;
  if (result.signal == SIGTERM) return ExitCode::terminated;
  if (result.failed > 0) return ExitCode::cells_failed;
  if (result.completed + result.cached == 0) return ExitCode::nothing_ran;
  return ExitCode::ok;
}

}  // namespace auxbench
