#include "runner/app/torch/suite.h"

#include <algorithm>

#include "runner/training/device.h"
#include "runner/training/experiment.h"
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
    if (!why_not_implemented(cell.spec).empty()) continue;  // it would be skipped with its data, too
    if (!dataset_available(cell.spec.dataset, context.data_root)) return false;
    any = true;
  }
  return any;
}

SuiteRequest request_of(const SuiteArguments& arguments, const std::string& tier) {
  return {.tier = tier, .set = arguments.set, .seeds = arguments.seeds, .only = arguments.only, .skip = arguments.skip};
}

// `full` when all of its data are found, else `embedded`, else the suite's first tier.
SuiteSpec load_best_tier(const SuiteArguments& arguments, const RunContext& context) {
  const auto tiers = suite_tiers(arguments.suite);
  const auto offers = [&](const char* tier) { return std::find(tiers.begin(), tiers.end(), tier) != tiers.end(); };
  if (offers("full")) {
    auto suite = load_suite(arguments.suite, request_of(arguments, "full"));
    if (data_are_here(suite, context)) return suite;
  }
  return load_suite(arguments.suite, request_of(arguments, offers("embedded") ? "embedded" : tiers.front()));
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

OpenedSuite open_suite(const SuiteArguments& arguments, const std::string& verb) {
  OpenedSuite opened;
  opened.context.device = open_device(arguments.device);
  use_threads(arguments.threads);
  opened.context.data_root = data_root(arguments);
  opened.suite = arguments.tier.empty() ? load_best_tier(arguments, opened.context)
                                        : load_suite(arguments.suite, request_of(arguments, arguments.tier));
  opened.context.complete_data = !opened.suite.proxy;
  opened.context.workers = arguments.workers;
  opened.out = arguments.out.empty()
                   ? std::filesystem::path("auxbench-results") / (opened.suite.name + "-" + opened.suite.tier)
                   : arguments.out;
  opened.command = command_of(arguments, verb, opened.suite.tier);
  opened.context.provenance = collect_provenance();
  opened.context.provenance.gpu = gpu_name(opened.context.device);
  opened.context.rerun = command_of(arguments, "run", opened.suite.tier);
  return opened;
}

}  // namespace auxbench
