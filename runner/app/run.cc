// auxbench run SUITE: train, evaluate, record, report.
#include <CLI/CLI.hpp>
#include <memory>

#include "base/duration.h"
#include "runner/app/app.h"
#include "runner/app/torch_verbs.h"

namespace auxbench {

void add_run(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<RunArguments>();
  auto budget = std::make_shared<std::string>();
  auto* verb = app.add_subcommand("run", "train and evaluate the cells of a suite, then report");
  add_suite_options(*verb, arguments->suite);
  verb->add_option("--budget", *budget, "start no new cell after this time, e.g. 90s, 30m, 6h");
  verb->add_option(
          "--checkpoint-minutes", arguments->checkpoint_minutes,
          "minutes between two checkpoints within an epoch; 0: after every step; one is written at each epoch's end")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  verb->add_flag("--fail-fast", arguments->fail_fast, "stop at the first cell that fails");
  verb->add_flag("-q,--quiet", arguments->quiet, "no progress, only warnings and the tables");
  verb->callback([arguments, budget, &outcome] {
    arguments->budget_seconds = parse_duration(*budget, "--budget");
    outcome = torch_verbs().run(*arguments);
  });
}

}  // namespace auxbench
