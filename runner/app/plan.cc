// auxbench plan | validate: what a suite comes to, without training anything.
#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/duration.h"
#include "base/output.h"
#include "base/parallel.h"
#include "runner/app/app.h"
#include "runner/app/suite.h"
#include "runner/plan/make_plan.h"
#include "runner/plan/makespan.h"
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
  print_line("%s  %s%s%s", cell.id.c_str(), standing.text.c_str(), cost.c_str(),
             cell.implied ? " (needed by others)" : "");
}

// What of a plan is still to do.
struct Outlook {
  nlohmann::json cells = nlohmann::json::array();
  size_t count = 0, to_run = 0, cached = 0;
  double seconds = 0;       // of all cells one after the other
  double wall_seconds = 0;  // with several jobs
  bool guessed = false;     // some without a record of its kind
};

Outlook outlook_of(const OpenedSuite& opened, bool as_json, int jobs) {
  Outlook all;
  std::vector<Work> work;
  std::map<std::string, size_t> places;
  for (const auto& cell : opened.plan.cells) {
    if (!cell.selected) continue;
    const auto standing = standing_of(cell, opened.stored.by_id);
    ++all.count;
    all.seconds += standing.seconds;
    all.to_run += standing.to_run ? 1 : 0;
    all.cached += standing.cached ? 1 : 0;
    all.guessed = all.guessed || (standing.to_run && !cell.estimate_from_history);
    Work own = {.seconds = standing.seconds};
    for (const auto& needed : cell.needs)
      if (const auto found = places.find(needed); found != places.end()) own.needs.push_back(found->second);
    places[cell.id] = work.size();
    work.push_back(std::move(own));
    if (as_json)
      all.cells.push_back(to_json(cell, standing));
    else
      print_cell(cell, standing);
  }
  all.wall_seconds = makespan(work, jobs);
  return all;
}

// "54 min 20 s of one thread, 27 min 12 s with 2 jobs".
std::string cost_text(const Outlook& all, bool on_cpu, int jobs) {
  auto text = duration_text(all.seconds) + (on_cpu ? " of one thread" : "");
  if (jobs > 1) text += ", " + duration_text(all.wall_seconds) + " with " + std::to_string(jobs) + " jobs";
  return text;
}

ExitCode plan(const SuiteArguments& arguments, int wanted_jobs) {
  const auto opened = open_suite(arguments);
  const bool on_cpu = opened.plan.device_class == "cpu";
  const int jobs = wanted_jobs > 0 ? wanted_jobs : on_cpu ? available_threads() : 1;
  for (const auto& warning : opened.warnings) warn_line("warning: %s", warning.c_str());
  const auto all = outlook_of(opened, arguments.json, jobs);
  if (arguments.json) {
    const nlohmann::json whole = {{"suite", opened.plan.suite},
                                  {"tier", opened.plan.tier},
                                  {"proxy", opened.plan.proxy},
                                  {"cells", all.cells},
                                  {"estimated_seconds", all.seconds},
                                  {"jobs", jobs},
                                  {"estimated_wall_seconds", all.wall_seconds}};
    print_json(whole);
    return ExitCode::ok;
  }
  print_line(
      "%zu cells, tier %s: %zu cached, %zu to run, about %s%s", all.count, opened.plan.tier.c_str(), all.cached,
      all.to_run, cost_text(all, on_cpu, jobs).c_str(),
      all.guessed ? " (a guess by arithmetic, within a factor of three; records of this machine will sharpen it)" : "");
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
    print_line("%s: tier %s: %zu cells (%zu not implemented yet), %zu tables", arguments.suite.c_str(), tier.c_str(),
               suite.cells.size(), waiting, suite.tables.size());
  }
  return ExitCode::ok;
}

}  // namespace

void add_plan(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<SuiteArguments>();
  auto jobs = std::make_shared<int>(0);
  auto* verb = app.add_subcommand("plan", "list the cells of a suite: which are cached, what the rest will cost");
  add_suite_options(*verb, *arguments);
  verb->add_option("--jobs", *jobs, "cells trained side by side, to price the run; default: as many as cores")
      ->check(CLI::Range(1, 4096));
  verb->add_flag("--json", arguments->json, "machine-readable");
  verb->callback([arguments, jobs, &outcome] { outcome = plan(*arguments, *jobs); });

  auto checked = std::make_shared<SuiteArguments>();
  auto* check = app.add_subcommand("validate", "check a suite in every tier; errors name file, line, column and key");
  check->add_option("suite", checked->suite, "suite file")->required();
  check->add_option("--set", checked->set, "KEY=VALUE for every cell")->allow_extra_args(false);
  check->callback([checked, &outcome] { outcome = validate(*checked); });
}

}  // namespace auxbench
