// auxbench ls | show | report: what a results folder holds.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/files/file.h"
#include "runner/app/app.h"
#include "runner/plan/extend_plan.h"
#include "runner/plan/plan_file.h"
#include "runner/sweep/suite_runner.h"

namespace auxbench {
namespace {

struct FolderArguments {
  std::filesystem::path folder;
  std::string id;
  bool json = false;
};

StoredRecords read_folder(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder))
    throw UserError(ExitCode::data_missing, folder.string() + ": no such results folder");
  auto stored = read_records(folder);
  for (const auto& warning : stored.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  return stored;
}

ExitCode list(const FolderArguments& arguments) {
  nlohmann::json all = nlohmann::json::array();
  for (const auto& [id, record] : read_folder(arguments.folder).by_id) {
    if (arguments.json) {
      all.push_back(record_to_json(record));
      continue;
    }
    std::printf("%-64s %s", id.c_str(), status_name(record.status).c_str());
    for (const auto& metric : record.metrics) std::printf("  %s %.2f", metric.name.c_str(), metric.value);
    std::printf("%s%s\n", record.reason.empty() ? "" : "  ", record.reason.c_str());
  }
  if (arguments.json) std::printf("%s\n", all.dump(2).c_str());
  return ExitCode::ok;
}

ExitCode show(const FolderArguments& arguments) {
  const Record* found = nullptr;
  const auto stored = read_folder(arguments.folder);
  for (const auto& [id, record] : stored.by_id) {
    if (id.find(arguments.id) == std::string::npos) continue;
    if (found != nullptr)
      throw UserError(ExitCode::usage, arguments.id + ": more than one cell: " + found->id + " and " + id);
    found = &record;
  }
  if (found == nullptr)
    throw UserError(ExitCode::usage, arguments.id + ": no such cell in " + arguments.folder.string());
  std::printf("%s\n", record_to_json(*found).dump(2).c_str());
  return ExitCode::ok;
}

ExitCode report(const SuiteArguments& arguments) {
  const auto opened = open_suite(arguments, "run");
  const auto stored = read_folder(opened.out);
  const auto before = read_plan(opened.out);
  const auto plan = before ? extend_plan(opened.plan, *before, opened.out.string()) : opened.plan;
  const auto here = machine_text(opened.context.device.str(), opened.context.provenance);
  const auto input = report_input(plan, stored.by_id, here);
  write_file_atomically(opened.out / "report.md", render_markdown(input));
  std::fputs(render_console(input).c_str(), stdout);
  std::fprintf(stderr, "report: %s\n", (opened.out / "report.md").c_str());
  return ExitCode::ok;
}

}  // namespace

void add_reading(CLI::App& app, Outcome& outcome) {
  auto listed = std::make_shared<FolderArguments>();
  auto* ls = app.add_subcommand("ls", "list the records of a results folder");
  ls->add_option("folder", listed->folder, "results folder")->required();
  ls->add_flag("--json", listed->json, "machine-readable");
  ls->callback([listed, &outcome] { outcome = list(*listed); });

  auto shown = std::make_shared<FolderArguments>();
  auto* show_verb = app.add_subcommand("show", "print one record whole, as JSON");
  show_verb->add_option("folder", shown->folder, "results folder")->required();
  show_verb->add_option("cell", shown->id, "id of the cell, or a part of it that fits only one")->required();
  show_verb->add_flag("--json", shown->json, "machine-readable (always so)");
  show_verb->callback([shown, &outcome] { outcome = show(*shown); });

  auto reported = std::make_shared<SuiteArguments>();
  auto* report_verb = app.add_subcommand("report", "render the tables of a suite from the records there are");
  add_suite_options(*report_verb, *reported);
  report_verb->callback([reported, &outcome] { outcome = report(*reported); });
}

}  // namespace auxbench
