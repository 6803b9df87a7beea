// auxbench doctor: is what a run stands on in order?
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/output.h"
#include "runner/app/app.h"
#include "runner/app/number_check.h"
#include "runner/app/torch_verbs.h"
#include "runner/inspect/doctor.h"

namespace auxbench {
namespace {

struct DoctorArguments {
  std::string device = "cpu";
  std::filesystem::path root;
  DoctorOptions options;
  bool no_speed = false, json = false;
};

const char* name_of(Health health) {
  switch (health) {
    case Health::good:
      return "ok";
    case Health::note:
      return "note";
    case Health::bad:
      break;
  }
  return "BAD";
}

void print_findings(const std::vector<Finding>& findings) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& found : findings)
    list.push_back({{"subject", found.subject}, {"health", name_of(found.health)}, {"text", found.text}});
  print_json(list);
}

// A device that is not there is the user's mistake; a LibTorch that cannot be loaded is a finding.
void examine_device(DoctorArguments& arguments) {
  auto& options = arguments.options;
  options.device_name = arguments.device;
  TorchVerbs* torch = nullptr;
  try {
    torch = &torch_verbs();
  } catch (const UserError& error) {
    options.device = {"device", Health::bad, error.what()};
    return;
  }
  const auto facts = torch->device(arguments.device);
  options.device_name = facts.name;
  options.device = {"device", Health::good, facts.text};
  if (!arguments.no_speed) options.training_rate = [torch, facts] { return torch->training_rate(facts.name); };
}

ExitCode examine_all(DoctorArguments arguments) {
  examine_device(arguments);
  if (!arguments.root.empty()) arguments.options.root = arguments.root;
  const auto findings = examine(arguments.options);
  const auto bad =
      std::count_if(findings.begin(), findings.end(), [](const auto& found) { return found.health == Health::bad; });
  if (arguments.json) {
    print_findings(findings);
  } else {
    for (const auto& found : findings)
      print_line("%-4s %-11s %s", name_of(found.health), found.subject.c_str(), found.text.c_str());
    print_line("%s", bad == 0 ? "in order" : (std::to_string(bad) + " not in order").c_str());
  }
  return bad == 0 ? ExitCode::ok : ExitCode::gate_failed;
}

}  // namespace

void add_doctor(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<DoctorArguments>();
  auto* verb = app.add_subcommand("doctor", "are decoder, data, weights, cache and device in order");
  verb->add_option("--device", arguments->device, "cpu, cuda or cuda:N")->capture_default_str();
  verb->add_option("--data-root", arguments->root, "folder of datasets, looked at first");
  verb->add_option("--weights", arguments->options.weights, "files of weights to read (repeatable)")
      ->allow_extra_args(false);
  verb->add_option("--images", arguments->options.images, "validation images to fingerprint, where ImageNet is found")
      ->check(between(1, 50000))
      ->capture_default_str();
  verb->add_flag("--no-speed", arguments->no_speed, "without timing loading and training");
  verb->add_flag("--json", arguments->json, "machine-readable");
  verb->footer("Exit code 1 when something is not in order.");
  verb->callback([arguments, &outcome] { outcome = examine_all(*arguments); });
}

}  // namespace auxbench
