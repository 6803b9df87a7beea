#include "reports/layout.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "results/summary.h"

namespace auxbench {
namespace {

// The records of one place in a table. In a row of an epoch they are as they stood then, but full precision, whose
// training is another, is as it ended.
std::vector<Record> records_of(const ReportTable& table, const ReportRow& row, size_t column,
                               const std::map<std::string, Record>& records) {
  const bool as_it_ended = !row.epoch || table.columns[column].role == "full-precision";
  std::vector<Record> found;
  for (const auto& id : row.entries[column].cell_ids)
    if (const auto record = records.find(id); record != records.end())
      found.push_back(as_it_ended ? record->second : at_epoch(record->second, *row.epoch));
  return found;
}

std::vector<double> values_of(const std::vector<Record>& records, const std::string& metric) {
  std::vector<double> values;
  for (const auto& record : records)
    if (const auto value = metric_value(record, metric)) values.push_back(*value);
  return values;
}

const Record* first_mistrusted(const std::vector<Record>& records) {
  for (const auto& record : records)
    if (record.status == Status::mistrusted) return &record;
  return nullptr;
}

size_t column_with(const ReportTable& table, const std::string& role) {
  const auto found = std::find_if(table.columns.begin(), table.columns.end(),
                                  [&](const ReportColumn& column) { return column.role == role; });
  return static_cast<size_t>(found - table.columns.begin());
}

// Why there is no number: what most of its cells say.
std::string absence(const ReportEntry& entry, const std::vector<Record>& records) {
  if (entry.cell_ids.empty()) return "-";
  if (records.empty()) return "not run yet";
  if (records.front().status == Status::completed) return "no such epoch in this tier";
  return status_name(records.front().status) + (records.front().reason.empty() ? "" : ": " + records.front().reason);
}

// "79.5 / 98.9", with its spread over seeds.
std::string measured_text(const ReportTable& table, const std::vector<Record>& records) {
  std::string text;
  Summary first;
  for (const auto& metric : table.metrics) {
    const auto summary = summarize(values_of(records, metric));
    if (summary.count == 0) continue;
    if (text.empty()) first = summary;
    text += (text.empty() ? "" : " / ") + number_text(summary.mean);
  }
  if (first.count > 1) text += " (sd " + number_text(first.deviation) + ", n = " + std::to_string(first.count) + ")";
  if (const auto* doubtful = first_mistrusted(records)) text += " mistrusted: " + doubtful->reason;
  return text;
}

std::string delta_text(const std::vector<Record>& from, const std::vector<Record>& to, const std::string& metric,
                       const char* name) {
  const auto gains = summarize(paired_gains(from, to, metric));
  return gains.count == 0 ? "" : ", " + signed_text(gains.mean) + " " + name;
}

std::string reported_text(const ReportTable& table, const ReportRow& row, size_t column) {
  const auto& figures = row.entries[column].reported;
  std::string text;
  for (const auto& metric : table.metrics)
    if (const auto found = figures.find(metric); found != figures.end())
      text += (text.empty() ? "" : " / ") + number_text(found->second);
  if (text.empty()) return "-";
  const auto& metric = table.metrics.front();
  for (const auto& [role, name] : {std::pair{"full-precision", "FP"}, std::pair{"baseline", "base"}}) {
    const auto other = column_with(table, role);
    if (other >= column || table.columns[column].role == "full-precision" || !figures.contains(metric)) continue;
    const auto& base = row.entries[other].reported;
    if (base.contains(metric)) text += ", " + signed_text(figures.at(metric) - base.at(metric)) + " " + name;
  }
  return text;
}

}  // namespace

std::string number_text(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string signed_text(double value, int digits) { return (value < 0 ? "" : "+") + number_text(value, digits); }

LaidTable lay_out(const ReportTable& table, const std::map<std::string, Record>& records) {
  LaidTable laid = {.table = &table, .header = {""}, .rows = {}};
  for (const auto& column : table.columns) laid.header.push_back(column.title);
  for (const auto& row : table.rows) {
    LaidRow texts = {.title = row.title, .measured = {}, .reported = {}};
    for (size_t column = 0; column < table.columns.size(); ++column) {
      const auto own = records_of(table, row, column, records);
      auto text = measured_text(table, own);
      if (text.empty()) {
        text = absence(row.entries[column], own);
      } else {
        for (const auto& [role, name] : {std::pair{"full-precision", "FP"}, std::pair{"baseline", "base"}}) {
          const auto other = column_with(table, role);
          if (other < column)
            text += delta_text(records_of(table, row, other, records), own, table.metrics.front(), name);
        }
      }
      texts.measured.push_back(text);
      texts.reported.push_back(reported_text(table, row, column));
    }
    laid.rows.push_back(std::move(texts));
  }
  return laid;
}

LaidClaim lay_out(const ReportClaim& claim, const ReportInput& input) {
  LaidClaim laid = {.text = claim.text, .measured = "not measured", .verdict = "not measured", .reported = "-"};
  for (const auto& table : input.tables) {
    if (table.id != claim.table) continue;
    const auto baseline = column_with(table, "baseline");
    const auto& metric = table.metrics.front();
    for (const auto& row : table.rows) {
      if (!claim.row.empty() && row.title != claim.row) continue;
      for (size_t column = 0; column < table.columns.size(); ++column) {
        if (table.columns[column].id != claim.column || baseline >= table.columns.size()) continue;
        const auto before = records_of(table, row, baseline, input.records),
                   after = records_of(table, row, column, input.records);
        const auto gains = summarize(paired_gains(before, after, metric));
        laid.verdict = verdict(gains);
        for (const auto& [title, records] :
             {std::pair(table.columns[baseline].title, &before), std::pair(table.columns[column].title, &after)})
          if (const auto* doubtful = first_mistrusted(*records))
            laid.verdict = "mistrusted, " + title + ": " + doubtful->reason;
        if (gains.count > 0) laid.measured = signed_text(gains.mean);
        if (gains.count > 1)
          laid.measured += " (sd " + number_text(gains.deviation) + ", n = " + std::to_string(gains.count) +
                           ", 95 % CI " + signed_text(gains.mean - gains.half_width) + " .. " +
                           signed_text(gains.mean + gains.half_width) + ")";
        const auto& a = row.entries[baseline].reported;
        const auto& b = row.entries[column].reported;
        if (a.contains(metric) && b.contains(metric))
          laid.reported = signed_text(b.at(metric) - a.at(metric)) + " (" + number_text(a.at(metric)) + " -> " +
                          number_text(b.at(metric)) + ")";
      }
    }
  }
  return laid;
}

}  // namespace auxbench
