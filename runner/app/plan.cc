// auxbench plan | validate: what a suite comes to, without training anything.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/duration.h"
#include "runner/app/app.h"
#include "runner/app/suite.h"
#include "runner/plan/make_plan.h"
#include "runner/plan/suite.h"

namespace auxbench {
namespace {

struct Standing {
  std::string text;
  bool to_run = false, cached = false;
  double seconds = 0;
};

Standing standing_of(const PlannedCell& cell, const std::map<std::string, Record>& records) {
  if (!cell.missing.empty()) return {.text = cell.missing, .seconds = cell.estimated_seconds};
  const auto record = records.find(cell.id);
  if (record != records.end() && is_final(record->second.status))
    return {.text = "cached: " + status_name(record->second.status), .cached = true};
  if (!cell.unsupported.empty()) return {.text = "skipped: " + cell.unsupported};
  return {.text = "to run", .to_run = true, .seconds = cell.estimated_seconds};
}

nlohmann::json to_json(const PlannedCell& cell, const Standing& standing) {
  return {{"id", cell.id},
          {"slug", cell.slug},
          {"groups", cell.groups},
          {"implied", cell.implied},
          {"state", standing.text},
          {"estimated_seconds", standing.seconds},
          {"estimate_from_history", cell.estimate_from_history},
          {"spec", cell_to_json(cell.spec)}};
}

void print_cell(const PlannedCell& cell, const Standing& standing) {
  const std::string cost = standing.seconds > 0 ? ", about " + duration_text(standing.seconds) : "";
  std::printf("%s  %s%s%s\n", cell.id.c_str(), standing.text.c_str(), cost.c_str(),
              cell.implied ? " (needed by others)" : "");
}

ExitCode plan(const SuiteArguments& arguments) {
  const auto opened = open_suite(arguments);
  for (const auto& warning : opened.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  auto cells = nlohmann::json::array();
  double seconds = 0;
  size_t count = 0, to_run = 0, cached = 0;
  bool guessed = false;
  for (const auto& cell : opened.plan.cells) {
    if (!cell.selected) continue;
    const auto standing = standing_of(cell, opened.stored.by_id);
    ++count;
    seconds += standing.seconds;
    to_run += standing.to_run ? 1 : 0;
    cached += standing.cached ? 1 : 0;
    guessed = guessed || (standing.to_run && !cell.estimate_from_history);
    if (arguments.json)
      cells.push_back(to_json(cell, standing));
    else
      print_cell(cell, standing);
  }
  if (arguments.json) {
    const nlohmann::json whole = {{"suite", opened.plan.suite},
                                  {"tier", opened.plan.tier},
                                  {"proxy", opened.plan.proxy},
                                  {"cells", cells},
                                  {"estimated_seconds", seconds}};
    std::printf("%s\n", whole.dump(2).c_str());
    return ExitCode::ok;
  }
  std::printf(
      "%zu cells, tier %s: %zu cached, %zu to run, about %s%s\n", count, opened.plan.tier.c_str(), cached, to_run,
      duration_text(seconds).c_str(),
      guessed ? " (a guess by arithmetic, within a factor of three; records of this machine will sharpen it)" : "");
  return ExitCode::ok;
}

ExitCode validate(const SuiteArguments& arguments) {
  const Suite file(arguments.suite);
  for (const auto& tier : file.tiers()) {
    const auto suite =
        file.resolve({.tier = tier, .set = arguments.set, .seeds = arguments.seeds, .only = {}, .skip = {}});
    size_t waiting = 0;
    for (const auto& listed : suite.cells)
      if (!why_not_implemented(listed.spec, dataset_implemented(listed.spec.dataset)).empty()) ++waiting;
    std::printf("%s: tier %s: %zu cells (%zu not implemented yet), %zu tables\n", arguments.suite.c_str(), tier.c_str(),
                suite.cells.size(), waiting, suite.tables.size());
  }
  return ExitCode::ok;
}

}  // namespace

void add_plan(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<SuiteArguments>();
  auto* verb = app.add_subcommand("plan", "list the cells of a suite: which are cached, what the rest will cost");
  add_suite_options(*verb, *arguments);
  verb->add_flag("--json", arguments->json, "machine-readable");
  verb->callback([arguments, &outcome] { outcome = plan(*arguments); });

  auto checked = std::make_shared<SuiteArguments>();
  auto* check = app.add_subcommand("validate", "check a suite in every tier; errors name file, line, column and key");
  check->add_option("suite", checked->suite, "suite file")->required();
  check->add_option("--set", checked->set, "KEY=VALUE for every cell")->allow_extra_args(false);
  check->callback([checked, &outcome] { outcome = validate(*checked); });
}

}  // namespace auxbench
