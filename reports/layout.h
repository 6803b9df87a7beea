// What stands in each place of a table: numbers, deltas and the paper's figures, as text.
#pragma once

#include <string>
#include <vector>

#include "reports/report.h"

namespace auxbench {

// One row of a table as text: a measured and a reported line, one text a column.
struct LaidRow {
  std::string title;
  std::vector<std::string> measured, reported;
};

struct LaidTable {
  const ReportTable* table = nullptr;
  std::vector<std::string> header;  // "row" and one title a column
  std::vector<LaidRow> rows;
};

LaidTable lay_out(const ReportTable& table, const std::map<std::string, Record>& records);

struct LaidClaim {
  std::string text, measured, verdict, reported;
};

LaidClaim lay_out(const ReportClaim& claim, const ReportInput& input);

// "+1.2", "-0.3", "+0.0"
std::string signed_text(double value, int digits = 1);
std::string number_text(double value, int digits = 1);

}  // namespace auxbench
