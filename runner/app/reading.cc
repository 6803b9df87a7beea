// auxbench ls | show | report: what a results folder holds, from its plan.json and its records alone.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "base/format.h"
#include "base/output.h"
#include "reports/code_table.h"
#include "reports/report.h"
#include "results/store.h"
#include "runner/app/app.h"
#include "runner/app/suite.h"
#include "runner/pictures/box_pictures.h"
#include "runner/plan/extend_plan.h"
#include "runner/plan/plan_file.h"

namespace auxbench {
namespace {

using nlohmann::json;

struct FolderArguments {
  std::filesystem::path folder;
  std::string id;
  bool json = false;
  bool codes = false;
};

struct Folder {
  std::optional<Plan> plan;  // none where an older version of this program made the folder
  StoredRecords stored;
};

StoredRecords read_folder_records(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder))
    throw UserError(ExitCode::data_missing, folder.string() + ": no such results folder");
  auto stored = read_records(folder);
  for (const auto& warning : stored.warnings) warn_line("warning: %s", warning.c_str());
  return stored;
}

Folder read_folder(const std::filesystem::path& folder) {
  auto stored = read_folder_records(folder);
  return {.plan = read_plan(folder), .stored = std::move(stored)};
}

// One cell as a line, or as its JSON: its record, or why there is none.
void tell(const Record& record, bool as_json, json& all) {
  if (as_json) return all.push_back(record_to_json(record));
  std::string rest;
  for (const auto& metric : record.metrics) rest += "  " + metric.name + " " + number_text(metric.value, 2);
  if (!record.reason.empty()) rest += "  " + record.reason;
  print_line("%-64s %s%s", record.id.c_str(), status_name(record.status).c_str(), rest.c_str());
}

void tell(const std::string& id, const std::string& slug, const std::string& why, bool as_json, json& all) {
  if (as_json) return all.push_back({{"id", id}, {"slug", slug}, {"status", "listed"}, {"reason", why}});
  print_line("%-64s listed%s%s", id.c_str(), why.empty() ? "" : "  ", why.c_str());
}

ExitCode list(const FolderArguments& arguments) {
  const auto folder = read_folder(arguments.folder);
  auto all = json::array();
  std::set<std::string> told;
  for (const auto& foreign : folder.stored.foreign) {
    tell(foreign.id, "", foreign.why, arguments.json, all);
    told.insert(foreign.id);
  }
  if (folder.plan) {
    for (const auto& cell : folder.plan->cells) {
      if (!told.insert(cell.id).second) continue;
      if (const auto found = folder.stored.by_id.find(cell.id); found != folder.stored.by_id.end())
        tell(found->second, arguments.json, all);
      else if (cell.selected)
        tell(cell.id, cell.slug, cell.unsupported.empty() ? cell.missing : cell.unsupported, arguments.json, all);
    }
  }
  for (const auto& [id, record] : folder.stored.by_id)
    if (told.insert(id).second) tell(record, arguments.json, all);
  if (arguments.json) print_json(all);
  return ExitCode::ok;
}

// The ids of the records and planned cells that hold `part`; an id that is `part` itself is the only one.
std::set<std::string> ids_with(const std::string& part, const Folder& folder) {
  std::set<std::string> found;
  for (const auto& [id, record] : folder.stored.by_id)
    if (id.find(part) != std::string::npos) found.insert(id);
  if (folder.plan)
    for (const auto& cell : folder.plan->cells)
      if (cell.selected && cell.id.find(part) != std::string::npos) found.insert(cell.id);
  return found.contains(part) ? std::set{part} : found;
}

ExitCode show(const FolderArguments& arguments) {
  const auto folder = read_folder(arguments.folder);
  const auto found = ids_with(arguments.id, folder);
  const auto refuse = [&](const std::string& what) { throw UserError(ExitCode::usage, arguments.id + ": " + what); };
  if (found.empty()) refuse("no such cell in " + arguments.folder.string());
  if (found.size() > 1) refuse("more than one cell: " + *found.begin() + " and " + *std::next(found.begin()));
  const auto record = folder.stored.by_id.find(*found.begin());
  if (record == folder.stored.by_id.end()) refuse("planned as " + *found.begin() + ", without a record yet");
  if (arguments.codes)
    print_lines(code_text(record->second));
  else
    print_json(record_to_json(record->second));
  return ExitCode::ok;
}

ExitCode report_on(const std::filesystem::path& folder, const Plan& plan, const StoredRecords& stored,
                   const std::string& device) {
  ReportInput input = {.plan = plan, .records = stored.by_id, .here = this_machine(device)};
  print_lines(render_console(input));
  try {
    input.pictures = draw_box_pictures(plan, stored.by_id, RecordFolder(folder));
    warn_line("report: %s", write_report(input, folder).c_str());
  } catch (const UserError& error) {
    warn_line("warning: the page is not written, the tables are above: %s", error.what());
  }
  return ExitCode::ok;
}

ExitCode report_folder(const std::filesystem::path& path) {
  const auto folder = read_folder(path);
  if (!folder.plan)
    throw UserError(
        ExitCode::data_missing,
        path.string() + ": no plan.json in it: name the suite, auxbench report SUITE --out " + path.string());
  return report_on(path, *folder.plan, folder.stored, folder.plan->device_class);
}

// The suite may have changed since: its tables, with what else the folder has been run with.
ExitCode report_suite(const SuiteArguments& arguments) {
  const auto opened = open_suite(arguments);
  const auto stored = read_folder_records(opened.out);
  const auto before = read_plan(opened.out);
  const auto plan = before ? extend_plan(opened.plan, *before, opened.out.string()) : opened.plan;
  return report_on(opened.out, plan, stored, arguments.device);
}

ExitCode report(const SuiteArguments& arguments, bool with_options) {
  if (!std::filesystem::is_directory(arguments.suite)) return report_suite(arguments);
  if (with_options)
    throw UserError(ExitCode::usage, arguments.suite.string() +
                                         ": a results folder is reported as it is; options are "
                                         "for a suite's file");
  return report_folder(arguments.suite);
}

}  // namespace

void add_reading(CLI::App& app, Outcome& outcome) {
  auto listed = std::make_shared<FolderArguments>();
  auto* ls = app.add_subcommand("ls", "list the cells of a results folder");
  ls->add_option("folder", listed->folder, "results folder")->required();
  ls->add_flag("--json", listed->json, "machine-readable");
  ls->callback([listed, &outcome] { outcome = list(*listed); });

  auto shown = std::make_shared<FolderArguments>();
  auto* show_verb = app.add_subcommand("show", "print one record whole, as JSON");
  show_verb->add_option("folder", shown->folder, "results folder")->required();
  show_verb->add_option("cell", shown->id, "id of the cell, or a part of it that fits only one")->required();
  show_verb->add_flag("--json", shown->json, "machine-readable (always so)");
  show_verb->add_flag("--codes", shown->codes, "in its place a table of the levels that its layers use")
      ->excludes("--json");
  show_verb->callback([shown, &outcome] { outcome = show(*shown); });

  auto reported = std::make_shared<SuiteArguments>();
  auto* report_verb =
      app.add_subcommand("report", "render the tables of a results folder, or of a suite, from the records there are");
  add_suite_options(*report_verb, *reported, "results folder of a run, or a suite file with its options");
  report_verb->callback(
      [reported, report_verb, &outcome] { outcome = report(*reported, report_verb->count_all() > 2); });
}

}  // namespace auxbench
