// The verbs of the command line: each adds its options to the parser and says what to do when it is chosen. Those that
// need LibTorch hand what they were told to torch_verbs.h; the others do their work here.
#pragma once

#include <string>

#include "base/error.h"
#include "runner/app/arguments.h"

namespace CLI {
class App;
}

namespace auxbench {

// The exit code of the chosen verb is left here.
using Outcome = ExitCode;

void add_run(CLI::App& app, Outcome& outcome);
void add_worker(CLI::App& app, Outcome& outcome);   // a process of a run; hidden
void add_plan(CLI::App& app, Outcome& outcome);     // plan, validate
void add_reading(CLI::App& app, Outcome& outcome);  // ls, show, report
void add_probe(CLI::App& app, Outcome& outcome);
void add_probe_conv(CLI::App& probes, Outcome& outcome);
void add_probe_transform(CLI::App& probes, Outcome& outcome);
void add_integers(CLI::App& app, Outcome& outcome);  // infer, export
void add_bench(CLI::App& app, Outcome& outcome);     // kernel suites
void add_bench_training(CLI::App& app, Outcome& outcome);
void add_bench_loading(CLI::App& app, Outcome& outcome);
void add_coco_eval(CLI::App& app, Outcome& outcome);
void add_weights(CLI::App& app, Outcome& outcome);
void add_data(CLI::App& app, Outcome& outcome);  // data find, verify, generate
void add_doctor(CLI::App& app, Outcome& outcome);

void add_suite_options(CLI::App& verb, SuiteArguments& arguments,
                       const std::string& what = "suite file, e.g. suites/paper_tables.json");

}  // namespace auxbench
