// The report's claims and tables for a terminal.
#include "reports/layout.h"
#include "reports/report.h"

namespace auxbench {

std::string render_console(const ReportInput& input) {
  std::string text = input.title + "\nTier " + input.tier + " on " + input.ran_on;
  if (input.proxy) text += ": a proxy (" + input.proxy_reason + "); the paper's figures are not comparable";
  text += ".\n";
  for (const auto& missing : input.missing_data) text += "Not the whole dataset: " + missing + ".\n";
  for (const auto& claim : input.claims) {
    const auto laid = lay_out(claim, input);
    text += "  " + laid.text + ": " + laid.measured + ", " + laid.verdict + "; paper " + laid.reported + "\n";
  }
  for (const auto& table : input.tables) {
    const auto laid = lay_out(table, input.records);
    text += "\n" + table.title + "\n";
    for (const auto& row : laid.rows) {
      text += "  " + row.title + "\n";
      for (size_t i = 0; i < row.measured.size(); ++i) {
        std::string name = laid.header[i + 1];
        name.resize(std::max<size_t>(28, name.size() + 2), ' ');
        text += "    " + name + row.measured[i];
        if (row.reported[i] != "-") text += "   [paper " + row.reported[i] + "]";
        text += "\n";
      }
    }
  }
  return text;
}

}  // namespace auxbench
