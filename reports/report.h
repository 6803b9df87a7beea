// From records to the Markdown page a reader cites.
//
// A report is a pure function of its input: same input, same bytes; valid at any moment of a run.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "results/record.h"

namespace auxbench {

// A table as the suite lays it out, with ids in place of cells. The runner makes it from a TableSpec.
struct ReportEntry {
  std::vector<std::string> cell_ids;       // one per seed; empty: not part of the suite
  std::map<std::string, double> reported;  // metric -> the paper's figure
};

struct ReportRow {
  std::string title;
  std::optional<int> epoch{};        // figures of that epoch of the learning curve, not of the end
  std::vector<ReportEntry> entries;  // one per column
};

struct ReportColumn {
  std::string id, title, role;  // role: full-precision | baseline | aid | other
};

struct ReportTable {
  std::string id, title, source, note;
  std::vector<std::string> metrics;
  std::vector<ReportColumn> columns;
  std::vector<ReportRow> rows;
};

struct ReportClaim {
  std::string text, table, row, column;
};

struct ReportInput {
  std::string suite, title, tier, command;
  bool proxy = false;
  std::string proxy_reason;               // "Fashion-MNIST, reduced network"
  std::vector<std::string> missing_data;  // of the datasets that are only a part of what was published
  std::string ran_on;                     // "cpu, 2 threads, AMD EPYC", data and counts
  std::vector<std::string> cell_order;    // every cell of the plan
  std::vector<ReportTable> tables;
  std::vector<ReportClaim> claims;
  std::map<std::string, Record> records;
};

std::string render_markdown(const ReportInput& input);

// The claims and the main tables as plain text for a terminal.
std::string render_console(const ReportInput& input);

}  // namespace auxbench
