// What a report is made of, from a plan and records alone.
#pragma once

#include <map>
#include <string>

#include "reports/report.h"
#include "runner/plan/plan.h"

namespace auxbench {

inline constexpr const char* kReportFile = "report.md";  // in a results folder

// Where a suite stands: its plan, its tables, and whatever records there are. `here`: machine_text of this process, said
// while no record says where it was made.
ReportInput report_input(const Plan& plan, const std::map<std::string, Record>& records, const std::string& here);

// "cpu, 2 threads, AMD EPYC".
std::string machine_text(const std::string& device, const Provenance& made);

}  // namespace auxbench
