// From a suite to its plan: ids, order, what cannot run here and why, and what the rest will cost.
//
// What lies outside the suite is handed in, so that nothing here opens data, devices or records.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runner/plan/cost.h"
#include "runner/plan/plan.h"
#include "runner/plan/suite.h"

namespace auxbench {

// One data set on this machine.
struct DataFacts {
  bool implemented = false;             // this program can train on it
  std::optional<std::string> manifest;  // SHA-256 of its content; none when it was not found
  int64_t train_images = 0;             // found, or published where it was not found
  int64_t test_images = 0;
};

struct PlanInputs {
  std::function<DataFacts(const std::string& dataset)> data;           // asked once a data set
  std::function<std::string(const std::string& file)> weights_digest;  // SHA-256; asked once a file
  std::string device_class{};                                          // "cpu" | "cuda"
  std::string command{};                                               // that runs the suite
  std::string version{};                                               // of this program
  std::vector<PastRun> history{};                                      // finished cells, for the price
};

// Every cell of the suite's tier, those left out by --only and --skip included.
Plan make_plan(const SuiteSpec& suite, const PlanInputs& inputs);

// Why this program cannot train the cell yet ("not implemented yet: dataset coco"), or empty.
std::string why_not_implemented(const CellSpec& cell, bool dataset_implemented);

}  // namespace auxbench
