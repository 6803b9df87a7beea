// The numbers of a report: what stands in each place of a plan's tables and behind each claim, before any of it is
// text. Renderers read this and nothing of the records that went into it.
//
// A run counts when its record is completed and has the metric. A mistrusted run has a number too, which enters no
// mean, no difference and no verdict: it is counted among the runs without one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "results/record.h"
#include "results/summary.h"
#include "runner/plan/plan.h"

namespace auxbench {

enum class EntryState {
  measured,         // every run of the entry counts
  partly_measured,  // some do
  waiting,          // no record yet
  left_out,         // no record, and --only or --skip left the cell out
  skipped,
  mistrusted,
  diverged,
  failed,
  timed_out,
  interrupted,
  no_such_epoch,   // completed, but its learning curve has no such epoch
  no_such_metric,  // completed, but it has none of the table's metrics
  not_in_suite,    // the paper has this entry, the suite lists no such cell
};

// "not run yet", "mistrusted" ...: as a reader sees it.
std::string state_text(EntryState state);

// Runs of one entry, or a single one, that do not count.
struct Uncounted {
  EntryState state = EntryState::waiting;
  int count = 0;
  std::string why;  // of the first of them, may be empty
};

struct MetricSummary {
  std::string metric;
  Summary runs;  // over seeds, count > 0
};

enum class Against { full_precision, baseline };

// Of one metric to the first column of that role. Only columns to the right of that one have it.
struct Delta {
  Against against = Against::baseline;
  Summary measured;                // over pairs of runs of equal seed; count 0: there is none
  std::optional<double> reported;  // difference of the paper's figures
};

struct EntryModel {
  EntryState state = EntryState::not_in_suite;  // measured, partly measured, or that of most weight in `uncounted`
  int runs = 0;                                 // that the plan has
  std::vector<Uncounted> uncounted;             // in order of appearance
  std::vector<MetricSummary> measured;          // in the table's order
  std::vector<Delta> deltas;                    // of the first metric, those with a measured or a reported difference
  std::vector<Delta> to_full_precision;         // one per metric of the table; empty where the column has none
  ReportedFigures reported;
};

struct RowModel {
  std::string title;
  std::vector<EntryModel> entries;  // one per column
};

struct TableModel {
  const Table* table = nullptr;  // of the plan, which outlives the model
  std::vector<RowModel> rows;
  int mistrusted = 0;  // runs that the table shows and that enter none of its numbers
};

// One row that a claim is about: the claim's column over the one it is held against, in the table's first metric.
struct ClaimRow {
  std::string row;
  Summary gains;             // over pairs of runs of equal seed
  std::vector<double> each;  // the gain of each pair
  // Mean of full precision less the baseline, over such pairs: what there is to regain. Of a claim over the baseline.
  std::optional<double> gap;
  Verdict verdict = Verdict::no_data;
  int mistrusted = 0;  // runs of either column that were left out
  std::string doubt;   // "baseline: top-1 is at chance level": of the first of them
  std::optional<double> reported_before, reported_after;
};

struct ClaimModel {
  std::string text;
  std::string metric;              // the table's first, in which gains are
  bool every_row = false;          // the claim names no row: it is about each
  std::string against;             // title of the column that the claim names to be held against; empty: the baseline
  std::optional<double> margin{};  // points that may be lost; none: the claim is of a gain
  std::vector<ClaimRow> rows;      // empty where the plan has no such table, row or column, or the table no baseline
};

struct ReportModel {
  std::vector<TableModel> tables;
  std::vector<ClaimModel> claims;
};

// The plan outlives the model. Each row of its tables has an entry a column, each table a metric (LogicFault).
ReportModel make_report_model(const Plan& plan, const std::map<std::string, Record>& records);

// What became of a cell that has no record.
Uncounted state_without_record(const PlannedCell& cell);

}  // namespace auxbench
