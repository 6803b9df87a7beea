// A suite as a verb was told to take it, and the plan it comes to on this machine. Torch-free: planning opens no device.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "results/store.h"
#include "runner/app/arguments.h"
#include "runner/plan/plan.h"

namespace auxbench {

struct OpenedSuite {
  Plan plan;
  DatasetRequest data;
  std::filesystem::path out;          // results folder, whether it is there or not
  StoredRecords stored;               // that it holds
  std::vector<std::string> warnings;  // about what is stored
};

inline constexpr const char* kReportFile = "report.md";  // in a results folder

// Reads the suite, chooses the tier, plans its cells. Throws UserError(usage) for a device that cannot be named so.
OpenedSuite open_suite(const SuiteArguments& arguments);

}  // namespace auxbench
