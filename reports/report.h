// From a plan and records to the page a reader cites.
//
// A report is a pure function of its input: same input, same bytes; valid at any moment of a run.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "results/record.h"
#include "runner/plan/plan.h"

namespace auxbench {

inline constexpr const char* kReportFile = "report.md";  // in a results folder

// Of a row of a table, drawn elsewhere (runner/pictures/) and shown below the table.
struct RowPicture {
  size_t table = 0, row = 0;  // places in the plan
  std::string file{};  // from the page's folder on, without what Markdown takes for its own; empty: there is none
  std::string text{};  // what it shows, or why there is none
};

struct ReportInput {
  Plan plan;
  std::map<std::string, Record> records;  // by id; those of cells that the plan does not have are passed over
  std::string here;  // "cpu, 2 threads, AMD EPYC": where a run would be; said while no record says where it was
  std::vector<RowPicture> pictures{};
};

// "cpu, 2 threads, AMD EPYC".
std::string machine_text(const Provenance& made);
// This one with one thread, as far as it is known without opening the device.
std::string this_machine(const std::string& device);

std::string render_markdown(const ReportInput& input);

// The claims and the tables as plain text for a terminal.
std::string render_console(const ReportInput& input);

// Writes the page and the pictures that it shows into a results folder, each whole or not at all; says where the page is.
std::filesystem::path write_report(const ReportInput& input, const std::filesystem::path& folder);

}  // namespace auxbench
