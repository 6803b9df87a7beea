// Plan: what a suite comes to, resolved once. Everything behind the suite reads this and nothing of the suite itself:
// `run` trains its cells, `report` lays out its tables from records, on a machine without data and without a device.
//
// Written as plan.json into the results folder (plan_file.h). A cell is known by its id from here on.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runner/plan/cell_spec.h"

namespace auxbench {

// metric name ("top1", "ap" ...) -> figure in percent, as printed in the paper.
using ReportedFigures = std::map<std::string, double>;

// One column of a table. `role` tells the report which deltas to print.
struct TableColumn {
  std::string id;
  std::string title;
  std::string role;  // full-precision | baseline | aid | other
};

struct TableEntry {
  std::vector<std::string> cells;  // ids, one per seed; empty: the paper has this entry, the suite does not
  ReportedFigures reported;        // empty when the paper reports none
};

struct TableRow {
  std::string title;
  std::optional<int> epoch{};       // figures of that epoch of the learning curve, not of the end
  std::vector<TableEntry> entries;  // one per column
};

struct Table {
  std::string id;
  std::string title;
  std::string source;                // of the reported figures: paper, table, page
  std::vector<std::string> metrics;  // first: the one deltas are taken of
  std::vector<TableColumn> columns;
  std::vector<TableRow> rows;
  std::string note;
};

// Of a column's gain over another in the table's first metric: that there is one, or, with a margin, that it is no loss
// beyond the margin (results/summary.h has both tests).
struct Claim {
  std::string text;                // the paper's claim in one sentence
  std::string table;               // whose columns decide it
  std::string row;                 // title of the row, or empty: every row
  std::string column;              // id of the column that is held against another
  std::string against{};           // id of that other, or empty: the baseline column
  std::optional<double> margin{};  // points, at least 0
};

// The column that the claim holds its own against; as many as there are columns where the table has none.
size_t column_against(const Claim& claim, const Table& table);

// What is planned for one cell.
struct PlannedCell {
  CellSpec spec;
  std::string id;  // slug + 12 hex digits; the slug alone while its data set is not here
  std::string slug;
  std::string data_manifest;       // SHA-256 over the data set's content; empty while it is not here
  std::vector<std::string> needs;  // ids of the cells whose weights it starts from or learns from; they stand before it
  std::vector<std::string> groups;  // of the suite that list it
  bool implied = false;             // not listed itself: needed by a listed cell
  bool selected = true;             // false: left out by --only or --skip, but a table shows it
  std::string unsupported;          // why this program cannot train it ("not implemented yet: ..."), or empty
  std::string missing;              // why it cannot run here ("needs imagenet, which was not found"), or empty
  double estimated_seconds = 0;     // 0: unknown
  bool estimate_from_history = false;
};

struct Plan {
  std::string version;  // of the program that made it
  std::string suite, title, tier;
  bool proxy = false;              // the tier does not run the paper's data: reported figures are not comparable
  std::string proxy_reason;        // "Fashion-MNIST, reduced network"
  std::string command;             // that runs the suite: each record adds its own --only
  std::string device_class;        // "cpu" | "cuda": a part of every id
  std::vector<PlannedCell> cells;  // in the suite's `order`, each behind what it needs
  std::vector<Table> tables;
  std::vector<Claim> claims;

  // Null when the plan has no such cell.
  [[nodiscard]] const PlannedCell* find(const std::string& id) const;
};

}  // namespace auxbench
