// From a plan and records to the page a reader cites.
//
// A report is a pure function of its input: same input, same bytes; valid at any moment of a run.
#pragma once

#include <map>
#include <string>

#include "results/record.h"
#include "runner/plan/plan.h"

namespace auxbench {

struct ReportInput {
  Plan plan;
  std::map<std::string, Record> records;  // by id; those of cells that the plan does not have are passed over
  std::string here;  // "cpu, 2 threads, AMD EPYC": where a run would be; said while no record says where it was
};

std::string render_markdown(const ReportInput& input);

// The claims and the tables as plain text for a terminal.
std::string render_console(const ReportInput& input);

}  // namespace auxbench
