// auxbench plan | validate: what a suite comes to, without training anything.
#include <CLI/CLI.hpp>
#include <memory>

#include "runner/app/app.h"
#include "runner/app/torch_verbs.h"

namespace auxbench {

void add_plan(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<SuiteArguments>();
  auto* verb = app.add_subcommand("plan", "list the cells of a suite: which are cached, what the rest will cost");
  add_suite_options(*verb, *arguments);
  verb->add_flag("--json", arguments->json, "machine-readable");
  verb->callback([arguments, &outcome] { outcome = torch_verbs().plan(*arguments); });

  auto checked = std::make_shared<SuiteArguments>();
  auto* check = app.add_subcommand("validate", "check a suite in every tier; errors name file, line, column and key");
  check->add_option("suite", checked->suite, "suite file")->required();
  check->add_option("--set", checked->set, "KEY=VALUE for every cell")->allow_extra_args(false);
  check->callback([checked, &outcome] { outcome = torch_verbs().validate(*checked); });
}

}  // namespace auxbench
