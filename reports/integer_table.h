// The table of what cells are worth as integers, from records alone. For .cc files of this room.
#pragma once

#include <string>
#include <vector>

#include "reports/report.h"

namespace auxbench {

struct IntegerRow {
  std::vector<std::string> texts;  // one per column
};

struct IntegerTable {
  std::vector<std::string> header;
  std::vector<IntegerRow> rows;
  int64_t equal = 0, differing = 0, none = 0;  // cells whose twin check says so
  int64_t images = 0;                          // compared altogether
};

// A row for each cell of the plan that was frozen, or could not be. Speeds are of the machine that made the record.
IntegerTable integer_table(const ReportInput& input);

}  // namespace auxbench
