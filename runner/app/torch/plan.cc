#include <cstdio>
#include <nlohmann/json.hpp>

#include "runner/app/torch/suite.h"
#include "runner/app/torch/verbs.h"
#include "runner/plan/cost.h"
#include "runner/training/experiment.h"
#include "runner/training/progress.h"

namespace auxbench {
namespace {

struct PlannedCell {
  std::string id, state;
  CostEstimate cost;
};

PlannedCell plan_cell(const CellSpec& cell, const RunContext& context, const std::map<std::string, Record>& records) {
  PlannedCell planned;
  if (dataset_implemented(cell.dataset) && !dataset_available(cell.dataset, context.data_root)) {
    // Its id hangs on the data; what it will cost does not.
    const auto images = published_size(cell.dataset);
    planned.id = cell_slug(cell);
    planned.state = "needs " + cell.dataset + ", which was not found";
    planned.cost = estimate_cost(cell, images.train, images.test, records);
    return planned;
  }
  planned.id = identify(cell, context);
  const auto record = records.find(planned.id);
  if (record != records.end() && is_final(record->second.status)) {
    planned.state = "cached: " + status_name(record->second.status);
  } else if (const auto reason = why_not_implemented(cell); !reason.empty()) {
    planned.state = "skipped: " + reason;
  } else {
    const auto& data = cell_data(cell, context);
    planned.state = "to run";
    planned.cost = estimate_cost(cell, data.train->count(), data.test->count(), records);
  }
  return planned;
}

nlohmann::json to_json(const ListedCell& listed, const PlannedCell& planned) {
  return {{"id", planned.id},
          {"slug", cell_slug(listed.spec)},
          {"groups", listed.groups},
          {"implied", listed.implied},
          {"state", planned.state},
          {"estimated_seconds", planned.cost.seconds},
          {"estimate_from_history", planned.cost.from_history},
          {"spec", cell_to_json(listed.spec)}};
}

}  // namespace

ExitCode plan(const SuiteArguments& arguments) {
  const auto opened = open_suite(arguments, "plan");
  const auto records = read_records(opened.out).by_id;
  nlohmann::json cells = nlohmann::json::array();
  double seconds = 0;
  size_t to_run = 0, cached = 0;
  bool guessed = false;
  for (const auto& listed : opened.suite.cells) {
    const auto planned = plan_cell(listed.spec, opened.context, records);
    seconds += planned.cost.seconds;
    if (planned.state == "to run") ++to_run;
    if (planned.state.starts_with("cached")) ++cached;
    guessed = guessed || (planned.state == "to run" && !planned.cost.from_history);
    if (arguments.json) {
      cells.push_back(to_json(listed, planned));
      continue;
    }
    const std::string cost = planned.cost.seconds > 0 ? ", about " + duration_text(planned.cost.seconds) : "";
    std::printf("%s  %s%s%s\n", planned.id.c_str(), planned.state.c_str(), cost.c_str(),
                listed.implied ? " (needed by others)" : "");
  }
  if (arguments.json) {
    const nlohmann::json whole = {{"suite", opened.suite.name},
                                  {"tier", opened.suite.tier},
                                  {"proxy", opened.suite.proxy},
                                  {"cells", cells},
                                  {"estimated_seconds", seconds}};
    std::printf("%s\n", whole.dump(2).c_str());
    return ExitCode::ok;
  }
  std::printf(
      "%zu cells, tier %s: %zu cached, %zu to run, about %s%s\n", opened.suite.cells.size(), opened.suite.tier.c_str(),
      cached, to_run, duration_text(seconds).c_str(),
      guessed ? " (a guess by arithmetic, within a factor of three; records of this machine will sharpen it)" : "");
  return ExitCode::ok;
}

ExitCode validate(const SuiteArguments& arguments) {
  for (const auto& tier : suite_tiers(arguments.suite)) {
    const auto suite = load_suite(
        arguments.suite, {.tier = tier, .set = arguments.set, .seeds = arguments.seeds, .only = {}, .skip = {}});
    size_t waiting = 0;
    for (const auto& listed : suite.cells)
      if (!why_not_implemented(listed.spec).empty()) ++waiting;
    std::printf("%s: tier %s: %zu cells (%zu not implemented yet), %zu tables\n", arguments.suite.c_str(), tier.c_str(),
                suite.cells.size(), waiting, suite.tables.size());
  }
  return ExitCode::ok;
}

}  // namespace auxbench
