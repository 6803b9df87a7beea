// The report's claims and tables for a terminal.
#include <algorithm>

#include "reports/claims_in_words.h"
#include "reports/code_table.h"
#include "reports/origin.h"
#include "reports/report.h"
#include "reports/texts.h"

namespace auxbench {
namespace {

// Names and reasons come from files: none of them may move the cursor or begin a line of its own.
std::string plain(const std::string& text) {
  auto safe = text;
  std::replace_if(
      safe.begin(), safe.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, ' ');
  return safe;
}

std::string table_text(const TableModel& model) {
  const auto& table = *model.table;
  std::string text = "\n" + plain(table.title) + "\n";
  for (const auto& row : model.rows) {
    text += "  " + plain(row.title) + "\n";
    for (size_t i = 0; i < row.entries.size(); ++i) {
      auto name = plain(table.columns[i].title);
      name.resize(std::max<size_t>(28, name.size() + 2), ' ');
      text += "    " + name + plain(measured_text(row.entries[i]));
      if (const auto reported = reported_text(row.entries[i], table); reported != "-")
        text += "   [paper " + plain(reported) + "]";
      text += "\n";
    }
  }
  return model.mistrusted == 0 ? text : text + "  " + mistrusted_note(model.mistrusted) + "\n";
}

}  // namespace

std::string render_console(const ReportInput& input) {
  const auto& plan = input.plan;
  const auto model = make_report_model(plan, input.records);
  const auto records = found_records(input);
  const auto origin = origin_of(records, input.here);
  std::string text = plain(plan.title) + "\nTier " + plain(plan.tier);
  text += origin.machines.empty() ? ", nothing has run yet" : " on " + plain(origin.machines);
  if (plan.proxy) text += ": a proxy (" + plain(plan.proxy_reason) + "); the paper's figures are not comparable";
  text += ".\n";
  for (const auto& missing : origin.missing) text += "Not the whole dataset: " + plain(missing) + ".\n";
  for (const auto& claim : model.claims)
    for (const auto& line : claim_texts(claim))
      text += "  " + plain(line.text + ": " + line.measured + ", " + line.verdict + "; paper " + line.reported) + "\n";
  if (const auto summary = claims_summary(model.claims); !summary.empty()) text += "  " + summary + "\n";
  for (const auto& table : model.tables) text += table_text(table);
  const auto warned = std::count_if(records.begin(), records.end(),
                                    [](const Record* record) { return layers_on_one_level(*record).has_value(); });
  if (warned > 0)
    text += "\nWarning: " + std::to_string(warned) + (warned == 1 ? " cell has" : " cells have") +
            " layers whose activations sit on one level; the report names them.\n";
  return text;
}

}  // namespace auxbench
