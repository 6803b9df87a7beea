// Where a report's records come from: machines, versions, data. For .cc files of this room.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reports/report.h"

namespace auxbench {

// The plan's cells that have a record, in the plan's order.
using FoundRecords = std::vector<const Record*>;
FoundRecords found_records(const ReportInput& input);

// The name of the first metric, which decides, where all records agree in it; else "metric".
std::string deciding_metric(const FoundRecords& records);

struct Origin {
  std::string machines;           // "cpu, 2 threads, AMD EPYC; cuda, ...", or `here` without records; may be empty
  std::set<std::string> missing;  // what datasets lack of what was published
  std::map<std::string, std::set<std::string>> made_by;  // "compiler" -> all that the records name
};
Origin origin_of(const FoundRecords& records, const std::string& here);

}  // namespace auxbench
