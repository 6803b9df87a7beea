// A suite as a verb was told to take it.
#pragma once

#include <filesystem>
#include <string>

#include "runner/app/arguments.h"
#include "runner/plan/suite.h"
#include "runner/sweep/cell_runner.h"

namespace auxbench {

struct OpenedSuite {
  SuiteSpec suite;
  RunContext context;
  std::filesystem::path out;
  std::string command;
};

// Reads the suite, opens the device, chooses the tier.
OpenedSuite open_suite(const SuiteArguments& arguments, const std::string& verb);

}  // namespace auxbench
