#include "runner/sweep/suite_runner.h"

#include <chrono>
#include <csignal>
#include <set>

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

ReportTable table_of(const TableSpec& spec, const RunContext& context) {
  ReportTable table = {.id = spec.id,
                       .title = spec.title,
                       .source = spec.source,
                       .note = spec.note,
                       .metrics = spec.metrics,
                       .columns = {},
                       .rows = {}};
  for (const auto& column : spec.columns) table.columns.push_back({column.id, column.title, column.role});
  for (const auto& row : spec.rows) {
    ReportRow laid = {.title = row.title, .epoch = row.epoch, .entries = {}};
    for (const auto& entry : row.entries) {
      ReportEntry cells = {.cell_ids = {}, .reported = entry.reported};
      for (const auto& cell : entry.cells) cells.cell_ids.push_back(identify(cell, context));
      laid.entries.push_back(std::move(cells));
    }
    table.rows.push_back(std::move(laid));
  }
  return table;
}

std::string machine_text(const std::string& device, const Provenance& made) {
  std::string text = device + ", " + std::to_string(made.threads) + " threads";
  for (const auto& part : {made.cpu, made.gpu})
    if (!part.empty()) text += ", " + part;
  return text;
}

std::vector<std::string> missing_data(const std::map<std::string, Record>& records) {
  std::set<std::string> found;
  for (const auto& [id, record] : records)
    if (const auto missing = record.facts.find("data_missing"); missing != record.facts.end())
      found.insert(missing->second.get<std::string>());
  return {found.begin(), found.end()};
}

// Where the records were made; before there are any, where this process runs.
std::string ran_on(const std::map<std::string, Record>& records, const RunContext& context) {
  std::set<std::string> machines;
  for (const auto& [id, record] : records) machines.insert(machine_text(record.provenance.device, record.provenance));
  if (machines.empty()) machines.insert(machine_text(context.device.str(), context.provenance));
  std::string text;
  for (const auto& machine : machines) text += (text.empty() ? "" : "; ") + machine;
  return text;
}

}  // namespace

RunResult run_suite(const SuiteSpec& suite, const RunContext& context, const RunOptions& options, Store& store,
                    Progress& progress) {
  return SuiteRun(suite, context, options, store, progress).run();
}

ReportInput report_input(const SuiteSpec& suite, const RunContext& context,
                         const std::map<std::string, Record>& records, const std::string& command) {
  ReportInput input;
  input.suite = suite.name;
  input.title = suite.title;
  input.tier = suite.tier;
  input.command = command;
  input.proxy = suite.proxy;
  input.proxy_reason = suite.proxy_reason;
  for (const auto& cell : suite.cells) {
    input.cell_order.push_back(identify(cell.spec, context));
    if (const auto found = records.find(input.cell_order.back()); found != records.end()) input.records.insert(*found);
  }
  input.ran_on = ran_on(input.records, context);
  input.missing_data = missing_data(input.records);
  for (const auto& table : suite.tables) input.tables.push_back(table_of(table, context));
  for (const auto& claim : suite.claims) input.claims.push_back({claim.text, claim.table, claim.row, claim.column});
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
