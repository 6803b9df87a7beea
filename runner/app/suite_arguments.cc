#include <CLI/CLI.hpp>
#include <algorithm>

#include "results/history.h"
#include "runner/app/app.h"
#include "runner/plan/make_plan.h"
#include "runner/plan/suite.h"
#include "runner/sweep/plan_inputs.h"
#include "runner/training/device.h"
#include "runner/training/provenance.h"

namespace auxbench {
namespace {

std::optional<std::filesystem::path> data_root(const SuiteArguments& arguments) {
  if (arguments.data_root.empty()) return std::nullopt;
  return arguments.data_root;
}

bool data_are_here(const SuiteSpec& suite, const RunContext& context) {
  bool any = false;
  for (const auto& cell : suite.cells) {
    const auto& dataset = cell.spec.dataset;
    // It would be skipped with its data, too.
    if (!cell.selected || !why_not_implemented(cell.spec, dataset_implemented(dataset)).empty()) continue;
    if (!dataset_available(dataset, context.data_root)) return false;
    any = true;
  }
  return any;
}

SuiteRequest request_of(const SuiteArguments& arguments, const std::string& tier) {
  return {.tier = tier, .set = arguments.set, .seeds = arguments.seeds, .only = arguments.only, .skip = arguments.skip};
}

// `full` when all of its data are found, else `embedded`, else the suite's first tier.
SuiteSpec resolve_best_tier(const Suite& suite, const SuiteArguments& arguments, const RunContext& context) {
  const auto tiers = suite.tiers();
  const auto offers = [&](const char* tier) { return std::find(tiers.begin(), tiers.end(), tier) != tiers.end(); };
  if (offers("full")) {
    auto full = suite.resolve(request_of(arguments, "full"));
    if (data_are_here(full, context)) return full;
  }
  return suite.resolve(request_of(arguments, offers("embedded") ? "embedded" : tiers.front()));
}

std::string quoted(const std::string& word) {
  const bool plain = word.find_first_of(" '\"*?[]{}$&|;<>()") == std::string::npos;
  return plain ? word : "'" + word + "'";
}

std::string command_of(const SuiteArguments& arguments, const std::string& verb, const std::string& tier) {
  std::string command = "auxbench " + verb + " " + quoted(arguments.suite.string()) + " --tier " + tier;
  for (const auto& value : arguments.set) command += " --set " + quoted(value);
  if (arguments.seeds) command += " --seeds " + std::to_string(*arguments.seeds);
  if (arguments.device != "cpu") command += " --device " + arguments.device;
  return command;
}

}  // namespace

void add_suite_options(CLI::App& verb, SuiteArguments& arguments) {
  verb.add_option("suite", arguments.suite, "suite file, e.g. suites/paper_tables.json")->required();
  verb.add_option("--tier", arguments.tier,
                  "smoke, embedded, replica or full; default: full where its data are found, else embedded");
  verb.add_option("--only", arguments.only, "cells whose name or group matches this glob (repeatable)")
      ->allow_extra_args(false);
  verb.add_option("--skip", arguments.skip, "leave out cells whose name or group matches this glob (repeatable)")
      ->allow_extra_args(false);
  verb.add_option("--set", arguments.set, "KEY=VALUE for every cell, e.g. finetune.epochs=8 (repeatable)")
      ->allow_extra_args(false);
  verb.add_option("--seeds", arguments.seeds, "seeds 0..N-1 instead of the suite's");
  verb.add_option("--device", arguments.device, "cpu, cuda or cuda:N")->capture_default_str();
  verb.add_option("--threads", arguments.threads, "CPU threads; default: all");
  verb.add_option("--workers", arguments.workers, "threads that load images; no number depends on it")
      ->check(CLI::Range(0, 1024));
  verb.add_option("--data-root", arguments.data_root, "folder of datasets; also $AUXBENCH_DATA");
  verb.add_option("--out", arguments.out, "results folder; default: auxbench-results/SUITE-TIER");
}

OpenedSuite open_suite(const SuiteArguments& arguments, const std::string& verb) {
  OpenedSuite opened;
  auto& context = opened.context;
  context.device = open_device(arguments.device);
  use_threads(arguments.threads);
  context.data_root = data_root(arguments);
  context.workers = arguments.workers;
  const Suite suite(arguments.suite);
  const auto spec = arguments.tier.empty() ? resolve_best_tier(suite, arguments, context)
                                           : suite.resolve(request_of(arguments, arguments.tier));
  context.complete_data = !spec.proxy;
  opened.out =
      arguments.out.empty() ? std::filesystem::path("auxbench-results") / (spec.name + "-" + spec.tier) : arguments.out;
  context.provenance = collect_provenance();
  context.provenance.gpu = gpu_name(context.device);
  context.rerun = command_of(arguments, "run", spec.tier);
  opened.stored = read_records(opened.out);
  auto history = history_of(opened.stored);
  opened.warnings = opened.stored.warnings;
  opened.warnings.insert(opened.warnings.end(), history.warnings.begin(), history.warnings.end());
  auto inputs = plan_inputs(dataset_request(context), std::move(history.runs));
  inputs.device_class = device_class(context.device);
  inputs.command = command_of(arguments, verb, spec.tier);
  inputs.version = context.provenance.version;
  opened.plan = make_plan(spec, inputs);
  return opened;
}

}  // namespace auxbench
