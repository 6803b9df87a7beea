// The verbs of the command line: each adds its options to the parser and says what to do when it is chosen.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "runner/plan/plan.h"
#include "runner/sweep/cell_runner.h"

namespace CLI {
class App;
}

namespace auxbench {

// The exit code of the chosen verb is left here.
using Outcome = ExitCode;

void add_run(CLI::App& app, Outcome& outcome);
void add_plan(CLI::App& app, Outcome& outcome);     // plan, validate
void add_reading(CLI::App& app, Outcome& outcome);  // ls, show, report
void add_probe(CLI::App& app, Outcome& outcome);
void add_probe_conv(CLI::App& probes, Outcome& outcome);
void add_integers(CLI::App& app, Outcome& outcome);  // infer, export
void add_bench(CLI::App& app, Outcome& outcome);     // kernel suites
void add_bench_training(CLI::App& app, Outcome& outcome);
void add_bench_loading(CLI::App& app, Outcome& outcome);
void add_coco_eval(CLI::App& app, Outcome& outcome);
void add_weights(CLI::App& app, Outcome& outcome);
void add_data(CLI::App& app, Outcome& outcome);  // data find, verify, generate
void add_doctor(CLI::App& app, Outcome& outcome);

// What every verb that reads a suite has in common.
struct SuiteArguments {
  std::filesystem::path suite;
  std::string tier;  // empty: full where its data are found, else embedded
  std::vector<std::string> only, skip, set;
  std::optional<int> seeds;
  std::string device = "cpu";
  int threads = 0;
  std::optional<int> workers;
  std::string data_root;
  std::filesystem::path out;  // empty: auxbench-results/<suite>-<tier>
  bool json = false;
};

void add_suite_options(CLI::App& verb, SuiteArguments& arguments);

struct OpenedSuite {
  Plan plan;
  RunContext context;
  std::filesystem::path out;
  StoredRecords stored;               // of `out`, as far as there are any
  std::vector<std::string> warnings;  // about them
};

// Reads the suite, opens the device, chooses the tier, plans.
OpenedSuite open_suite(const SuiteArguments& arguments, const std::string& verb);

}  // namespace auxbench
