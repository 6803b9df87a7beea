#include "runner/app/report_input.h"

#include <set>

namespace auxbench {
namespace {

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

}  // namespace auxbench
