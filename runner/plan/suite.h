// The suite language: one strict JSON file that says which cells to train and how to lay them out in tables.
//
// docs/suites.md is the language on one page; suites/schema/suite.schema.json the same for editors.
// Every mistake throws UserError(invalid_suite) as `file:line:col: /pointer: what, did you mean ...`.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runner/plan/cell_spec.h"
#include "runner/plan/plan.h"

namespace auxbench {

// A cell as the suite asked for it: its spec, and the names of the groups that list it.
struct ListedCell {
  CellSpec spec;
  std::vector<std::string> groups;
  bool implied = false;  // not listed itself: the full-precision parent of a listed cell
};

struct SuiteEntry {
  std::vector<CellSpec> cells;  // one per seed; empty when the suite lists no such cell: the paper has it, we do not
  ReportedFigures reported;     // empty when the paper reports none
};

struct SuiteRow {
  std::string title;
  std::optional<int> epoch{};       // figures of that epoch of the learning curve, not of the end
  std::vector<SuiteEntry> entries;  // one per column
};

struct TableSpec {
  std::string id;
  std::string title;
  std::string source;                // of the reported figures: paper, table, page
  std::vector<std::string> metrics;  // first: the one deltas are taken of
  std::vector<TableColumn> columns;
  std::vector<SuiteRow> rows;
  std::string note;
};

struct ClaimSpec {
  std::string text;    // the paper's claim in one sentence
  std::string table;   // whose baseline and aid columns decide it
  std::string row;     // title of the row, or empty: every row
  std::string column;  // id of the column held against the baseline column
};

// A suite resolved for one tier.
struct SuiteSpec {
  std::string name;
  std::string title;
  std::string tier;
  bool proxy = false;             // the tier does not run the paper's data: reported figures are not comparable
  std::string proxy_reason;       // "Fashion-MNIST, reduced network"
  std::vector<ListedCell> cells;  // in suite order, parents before children
  std::vector<TableSpec> tables;
  std::vector<ClaimSpec> claims;
};

struct SuiteRequest {
  std::string tier;              // one of the suite's tiers
  std::vector<std::string> set;  // "KEY=VALUE" overrides of every cell, last word; VALUE is JSON or a bare string
  std::optional<int> seeds;      // 0..N-1 instead of the suite's
  std::vector<std::string> only, skip;  // globs over slugs and group names
  size_t most_cells = 10'000;           // a product that gives more, seeds counted, is a slip of the pen
};

// The names of the tiers a suite defines, in its order.
std::vector<std::string> suite_tiers(const std::filesystem::path& path);

// Reads, checks, expands. With `only` or `skip` the parents of what is left stay, as implied cells, and tables keep
// their shape.
SuiteSpec load_suite(const std::filesystem::path& path, const SuiteRequest& request);

}  // namespace auxbench
