#include "reports/table_model.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <unordered_map>

#include "base/check.h"

namespace auxbench {
namespace {

using Records = std::map<std::string, Record>;

// One run in one place of a table.
struct Run {
  EntryState state = EntryState::waiting;
  std::string why;
  int64_t seed = 0;
  std::vector<std::optional<double>> values;  // one per metric of the table
};

EntryState state_of(Status status) {
  switch (status) {
    case Status::listed:
      return EntryState::waiting;
    case Status::skipped:
      return EntryState::skipped;
    case Status::completed:
      return EntryState::measured;
    case Status::mistrusted:
      return EntryState::mistrusted;
    case Status::diverged:
      return EntryState::diverged;
    case Status::failed:
      return EntryState::failed;
    case Status::timed_out:
      return EntryState::timed_out;
    case Status::interrupted:
      return EntryState::interrupted;
  }
  AUXBENCH_CHECK(false, "a status with a state");
}

Run run_of(const Record& record, const std::vector<std::string>& metrics, std::optional<int> epoch) {
  Run run = {.state = state_of(record.status), .why = record.reason, .seed = seed_of(record), .values = {}};
  if (run.state != EntryState::measured) return run;
  for (const auto& metric : metrics)
    run.values.push_back(epoch ? metric_at_epoch(record, metric, *epoch) : metric_value(record, metric));
  const auto there = [](const std::optional<double>& value) { return value.has_value(); };
  if (std::none_of(run.values.begin(), run.values.end(), there))
    run.state = epoch ? EntryState::no_such_epoch : EntryState::no_such_metric;
  return run;
}

bool counts(const Run& run) { return run.state == EntryState::measured; }

std::vector<SeedValue> values_of(const std::vector<Run>& runs, size_t metric) {
  std::vector<SeedValue> values;
  for (const auto& run : runs)
    if (counts(run) && run.values[metric]) values.push_back({run.seed, *run.values[metric]});
  return values;
}

Summary summary_of(const std::vector<Run>& runs, size_t metric) {
  std::vector<double> values;
  for (const auto& one : values_of(runs, metric)) values.push_back(one.value);
  return summarize(values);
}

std::vector<double> each_gain(const std::vector<Run>& before, const std::vector<Run>& after, size_t metric = 0) {
  return paired_gains(values_of(before, metric), values_of(after, metric));
}

Summary gains_of(const std::vector<Run>& before, const std::vector<Run>& after, size_t metric = 0) {
  return summarize(each_gain(before, after, metric));
}

std::optional<double> figure_of(const TableEntry& entry, const std::string& metric) {
  const auto found = entry.reported.find(metric);
  return found == entry.reported.end() ? std::nullopt : std::optional(found->second);
}

const char* role_of(Against against) { return against == Against::full_precision ? "full-precision" : "baseline"; }

// The first column of the role; as many as there are columns when there is none.
size_t column_with(const Table& table, Against against) {
  const auto found = std::find_if(table.columns.begin(), table.columns.end(),
                                  [&](const TableColumn& column) { return column.role == role_of(against); });
  return static_cast<size_t>(found - table.columns.begin());
}

std::vector<Uncounted> uncounted_of(const std::vector<Run>& runs) {
  std::vector<Uncounted> groups;
  for (const auto& run : runs) {
    if (counts(run)) continue;
    const auto same = [&](const Uncounted& group) { return group.state == run.state; };
    auto group = std::find_if(groups.begin(), groups.end(), same);
    if (group == groups.end()) group = groups.insert(groups.end(), {.state = run.state, .count = 0, .why = run.why});
    ++group->count;
  }
  return groups;
}

// What happened says more than what has not happened yet.
EntryState state_of(const std::vector<Run>& runs, const std::vector<Uncounted>& uncounted) {
  if (runs.empty()) return EntryState::not_in_suite;
  if (uncounted.empty()) return EntryState::measured;
  if (std::any_of(runs.begin(), runs.end(), counts)) return EntryState::partly_measured;
  const auto happened = std::find_if(uncounted.begin(), uncounted.end(), [](const Uncounted& group) {
    return group.state != EntryState::waiting && group.state != EntryState::left_out;
  });
  return happened == uncounted.end() ? uncounted.front().state : happened->state;
}

class Builder {
 public:
  Builder(const Plan& plan, const Records& records) : plan_(plan), records_(records) {
    for (const auto& cell : plan.cells) cells_.emplace(cell.id, &cell);
  }

  [[nodiscard]] ReportModel build() const {
    ReportModel model;
    for (const auto& table : plan_.tables) model.tables.push_back(model_of(table));
    for (const auto& claim : plan_.claims) model.claims.push_back(model_of(claim));
    return model;
  }

 private:
  [[nodiscard]] const Record* record_of(const std::string& id) const {
    const auto found = records_.find(id);
    return found == records_.end() ? nullptr : &found->second;
  }

  // In a row of an epoch runs are as they stood then, but full precision, whose training is another, is as it ended.
  [[nodiscard]] std::vector<Run> runs_of(const Table& table, const TableRow& row, size_t column) const {
    const bool as_it_ended = table.columns[column].role == role_of(Against::full_precision);
    std::vector<Run> runs;
    for (const auto& id : row.entries[column].cells) {
      if (const auto* record = record_of(id)) {
        runs.push_back(run_of(*record, table.metrics, as_it_ended ? std::nullopt : row.epoch));
        continue;
      }
      Run run;
      if (const auto cell = cells_.find(id); cell != cells_.end()) {
        const auto state = state_without_record(*cell->second);
        run = {.state = state.state, .why = state.why, .seed = 0, .values = {}};
      }
      runs.push_back(std::move(run));
    }
    return runs;
  }

  [[nodiscard]] static EntryModel entry_of(const Table& table, const TableRow& row, size_t column,
                                           const std::vector<std::vector<Run>>& runs) {
    const auto& own = runs[column];
    EntryModel entry = {.runs = static_cast<int>(own.size()), .reported = row.entries[column].reported};
    entry.uncounted = uncounted_of(own);
    entry.state = state_of(own, entry.uncounted);
    for (size_t i = 0; i < table.metrics.size(); ++i)
      if (const auto summary = summary_of(own, i); summary.count > 0)
        entry.measured.push_back({table.metrics[i], summary});
    for (const auto against : {Against::full_precision, Against::baseline}) {
      const auto other = column_with(table, against);
      if (other >= column || table.columns[column].role == role_of(Against::full_precision)) continue;
      for (size_t metric = 0; metric < table.metrics.size(); ++metric) {
        const auto delta = delta_of(table, row, {other, column}, runs, metric, against);
        if (metric == 0 && (delta.measured.count > 0 || delta.reported)) entry.deltas.push_back(delta);
        if (against == Against::full_precision) entry.to_full_precision.push_back(delta);
      }
    }
    return entry;
  }

  // Of the second column to the first.
  static Delta delta_of(const Table& table, const TableRow& row, const std::array<size_t, 2>& columns,
                        const std::vector<std::vector<Run>>& runs, size_t metric, Against against) {
    const auto [other, own] = columns;
    Delta delta = {.against = against, .measured = gains_of(runs[other], runs[own], metric), .reported = {}};
    const auto before = figure_of(row.entries[other], table.metrics[metric]),
               after = figure_of(row.entries[own], table.metrics[metric]);
    if (before && after) delta.reported = *after - *before;
    return delta;
  }

  [[nodiscard]] TableModel model_of(const Table& table) const {
    AUXBENCH_CHECK(!table.metrics.empty(), "a table with a metric");
    TableModel model = {.table = &table, .rows = {}, .mistrusted = 0};
    std::set<std::string_view> mistrusted;
    for (const auto& row : table.rows) {
      AUXBENCH_CHECK(row.entries.size() == table.columns.size(), "an entry for each column");
      std::vector<std::vector<Run>> runs;
      for (size_t column = 0; column < table.columns.size(); ++column) runs.push_back(runs_of(table, row, column));
      RowModel laid = {.title = row.title, .entries = {}};
      for (size_t column = 0; column < table.columns.size(); ++column) {
        laid.entries.push_back(entry_of(table, row, column, runs));
        for (const auto& id : row.entries[column].cells)
          if (const auto* record = record_of(id); record != nullptr && record->status == Status::mistrusted)
            mistrusted.insert(id);
      }
      model.rows.push_back(std::move(laid));
    }
    model.mistrusted = static_cast<int>(mistrusted.size());
    return model;
  }

  [[nodiscard]] ClaimRow claim_row(const Claim& claim, const Table& table, const TableRow& row, size_t other,
                                   size_t column) const {
    const auto before = runs_of(table, row, other), after = runs_of(table, row, column);
    ClaimRow result = {.row = row.title, .each = each_gain(before, after)};
    result.gains = summarize(result.each);
    const auto full = column_with(table, Against::full_precision);
    if (claim.against.empty() && !claim.margin && full < table.columns.size())
      if (const auto gap = gains_of(before, runs_of(table, row, full)); gap.count > 0) result.gap = gap.mean;
    result.verdict = verdict(result.gains, claim.margin);
    result.reported_before = figure_of(row.entries[other], table.metrics.front());
    result.reported_after = figure_of(row.entries[column], table.metrics.front());
    for (const auto& [place, runs] : {std::pair(other, &before), std::pair(column, &after)})
      for (const auto& run : *runs) {
        if (run.state != EntryState::mistrusted) continue;
        if (result.mistrusted++ == 0) result.doubt = table.columns[place].title + ": " + run.why;
      }
    return result;
  }

  [[nodiscard]] ClaimModel model_of(const Claim& claim) const {
    ClaimModel model = {.text = claim.text,
                        .metric = {},
                        .every_row = claim.row.empty(),
                        .against = {},
                        .margin = claim.margin,
                        .rows = {}};
    const auto table =
        std::find_if(plan_.tables.begin(), plan_.tables.end(), [&](const Table& one) { return one.id == claim.table; });
    if (table == plan_.tables.end()) return model;
    const auto other = column_against(claim, *table);
    const auto found = std::find_if(table->columns.begin(), table->columns.end(),
                                    [&](const TableColumn& column) { return column.id == claim.column; });
    if (found == table->columns.end() || other == table->columns.size()) return model;
    if (!claim.against.empty()) model.against = table->columns[other].title;
    const auto column = static_cast<size_t>(found - table->columns.begin());
    model.metric = table->metrics.front();
    for (const auto& row : table->rows)
      if (model.every_row || row.title == claim.row) model.rows.push_back(claim_row(claim, *table, row, other, column));
    return model;
  }

  const Plan& plan_;
  const Records& records_;
  std::unordered_map<std::string_view, const PlannedCell*> cells_;
};

}  // namespace

std::string state_text(EntryState state) {
  switch (state) {
    case EntryState::measured:
      return "measured";
    case EntryState::partly_measured:
      return "partly measured";
    case EntryState::waiting:
      return "not run yet";
    case EntryState::left_out:
      return "left out of this run";
    case EntryState::skipped:
      return status_name(Status::skipped);
    case EntryState::mistrusted:
      return status_name(Status::mistrusted);
    case EntryState::diverged:
      return status_name(Status::diverged);
    case EntryState::failed:
      return status_name(Status::failed);
    case EntryState::timed_out:
      return status_name(Status::timed_out);
    case EntryState::interrupted:
      return status_name(Status::interrupted);
    case EntryState::no_such_epoch:
      return "no such epoch in this tier";
    case EntryState::no_such_metric:
      return "no such metric";
    case EntryState::not_in_suite:
      return "-";
  }
  AUXBENCH_CHECK(false, "a state with a name");
}

ReportModel make_report_model(const Plan& plan, const std::map<std::string, Record>& records) {
  return Builder(plan, records).build();
}

Uncounted state_without_record(const PlannedCell& cell) {
  return {.state = cell.selected ? EntryState::waiting : EntryState::left_out,
          .count = 1,
          .why = cell.unsupported.empty() ? cell.missing : cell.unsupported};
}

}  // namespace auxbench
