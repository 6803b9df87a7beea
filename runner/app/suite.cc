#include "runner/app/suite.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/output.h"
#include "base/parallel.h"
#include "base/text.h"
#include "results/history.h"
#include "runner/app/plan_inputs.h"
#include "runner/build_info.h"
#include "runner/plan/make_plan.h"
#include "runner/plan/suite.h"

namespace auxbench {
namespace {

SuiteRequest request_of(const SuiteArguments& arguments, const std::string& tier) {
  auto set = arguments.set;
  if (arguments.threads) set.push_back("threads=" + std::to_string(*arguments.threads));
  return {
      .tier = tier, .set = std::move(set), .seeds = arguments.seeds, .only = arguments.only, .skip = arguments.skip};
}

bool data_are_here(const SuiteSpec& suite, const DataRoot& root) {
  std::set<std::string> wanted;
  for (const auto& cell : suite.cells)
    if (cell.selected && why_not_implemented(cell.spec, dataset_implemented(cell.spec.dataset)).empty())
      wanted.insert(cell.spec.dataset);  // any other would be skipped with its data, too
  return !wanted.empty() &&
         std::all_of(wanted.begin(), wanted.end(), [&](const auto& name) { return dataset_available(name, root); });
}

// The suite's own choice; else `full` when all of its data are found, else `embedded`, else the suite's first tier.
SuiteSpec best_tier(const Suite& suite, const SuiteArguments& arguments, const DataRoot& root) {
  if (const auto own = suite.default_tier()) return suite.resolve(request_of(arguments, *own));
  const auto tiers = suite.tiers();
  const auto offers = [&](const char* tier) { return std::find(tiers.begin(), tiers.end(), tier) != tiers.end(); };
  if (offers("full")) {
    auto full = suite.resolve(request_of(arguments, "full"));
    if (data_are_here(full, root)) return full;
  }
  return suite.resolve(request_of(arguments, offers("embedded") ? "embedded" : tiers.front()));
}

// That runs the whole; each record adds its own --only.
std::string command_of(const SuiteArguments& arguments, const std::string& tier) {
  const auto& file = arguments.suite.string();
  std::string command = "auxbench run " + shell_word((file.starts_with('-') ? "./" : "") + file);
  command += " --tier " + shell_word(tier);
  for (const auto& value : arguments.set) command += " --set " + shell_word(value);
  if (arguments.threads) command += " --threads " + std::to_string(*arguments.threads);
  if (arguments.seeds) command += " --seeds " + std::to_string(*arguments.seeds);
  if (arguments.device != "cpu") command += " --device " + shell_word(arguments.device);
  return command;
}

std::string device_class_of(const std::string& device) {
  if (device == "cpu") return device;
  const std::string_view name = device;
  const auto index = name.starts_with("cuda:") ? name.substr(5) : name == "cuda" ? "0" : "";
  if (index.empty() || index.find_first_not_of("0123456789") != std::string_view::npos)
    throw UserError(ExitCode::usage, "--device " + device + ": expected cpu, cuda or cuda:N");
  return "cuda";
}

}  // namespace

OpenedSuite open_suite(const SuiteArguments& arguments) {
  const auto device_class = device_class_of(arguments.device);
  OpenedSuite opened;
  if (!arguments.data_root.empty()) opened.data.root = arguments.data_root;
  opened.data.threads = available_threads();
  opened.data.tell = [](const std::string& what) { warn_line("auxbench: %s", what.c_str()); };
  const Suite suite(arguments.suite);
  const auto resolved = arguments.tier.empty() ? best_tier(suite, arguments, opened.data.root)
                                               : suite.resolve(request_of(arguments, arguments.tier));
  opened.data.complete = !resolved.proxy;
  opened.out = arguments.out.empty() ? std::filesystem::path("auxbench-results") / (resolved.name + "-" + resolved.tier)
                                     : arguments.out;
  opened.stored = read_records(opened.out);
  auto history = history_of(opened.stored);
  opened.warnings = opened.stored.warnings;
  opened.warnings.insert(opened.warnings.end(), history.warnings.begin(), history.warnings.end());
  auto inputs = plan_inputs(opened.data, std::move(history.runs));
  inputs.device_class = device_class;
  inputs.command = command_of(arguments, resolved.tier);
  inputs.version = kVersion;
  opened.plan = make_plan(resolved, inputs);
  return opened;
}

}  // namespace auxbench
