// The report as Markdown: first line what ran, then claims, tables, cells, provenance.
#include <algorithm>
#include <set>

#include "reports/integer_table.h"
#include "reports/layout.h"
#include "reports/report.h"
#include "results/summary.h"

namespace auxbench {
namespace {

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '*' || c == '_' || c == '`') safe += '\\';
    safe += c == '\n' ? ' ' : c;
  }
  return safe;
}

std::string line_of(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const auto& cell : cells) line += " " + escaped(cell) + " |";
  return line + "\n";
}

std::string rule(size_t columns) {
  std::string line = "|";
  for (size_t i = 0; i < columns; ++i) line += "---|";
  return line + "\n";
}

std::string headline(const ReportInput& input) {
  std::string text = "Tier **" + input.tier + "** on " + escaped(input.ran_on);
  if (input.proxy)
    text += ": a proxy (" + escaped(input.proxy_reason) +
            "). The paper's figures stand beside it and are not comparable; what can be compared is the sign and order "
            "of the gains.";
  else
    text += ".";
  text += "\n";
  for (const auto& missing : input.missing_data) text += "\nNot the whole dataset: " + escaped(missing) + ".\n";
  return text;
}

std::string claims(const ReportInput& input) {
  if (input.claims.empty()) return {};
  std::string text =
      "\n## Claims\n\nGains in points of the table's first metric over the baseline column, paired by seed.\n\n";
  text += line_of({"claim", "measured", "verdict", "paper"}) + rule(4);
  for (const auto& claim : input.claims) {
    const auto laid = lay_out(claim, input);
    text += line_of({laid.text, laid.measured, laid.verdict, laid.reported});
  }
  return text;
}

std::string table_text(const ReportTable& table, const ReportInput& input) {
  const auto laid = lay_out(table, input.records);
  std::string metrics;
  for (const auto& metric : table.metrics) metrics += (metrics.empty() ? "" : " / ") + metric;
  std::string text = "\n## " + escaped(table.title) + "\n\nEach entry: " + metrics +
                     " in percent; then the difference of " + table.metrics.front() +
                     " to full precision (FP) and to the baseline (base).\n\n";
  text += line_of(laid.header) + rule(laid.header.size());
  bool with_figures = false;
  for (const auto& row : laid.rows) {
    auto measured = row.measured, reported = row.reported;
    measured.insert(measured.begin(), row.title);
    text += line_of(measured);
    const auto says = [](const std::string& figure) { return figure != "-"; };
    if (std::none_of(row.reported.begin(), row.reported.end(), says)) continue;
    reported.insert(reported.begin(), "paper");
    text += line_of(reported);
    with_figures = true;
  }
  text += "\n";
  if (input.proxy && with_figures)
    text += "Not comparable with the paper's lines: " + escaped(input.proxy_reason) + ".\n";
  if (!table.source.empty()) text += "Paper: " + escaped(table.source) + ".\n";
  return table.note.empty() ? text : text + "\n" + escaped(table.note) + "\n";
}

std::string fact(const Record& record, const std::string& key) {
  const auto found = record.facts.find(key);
  return found == record.facts.end() ? "-" : found->second.dump();
}

std::string cells(const ReportInput& input) {
  std::string text =
      "\n## Cells\n\nReal bits are those of the levels a quantizer can return (weights/activations).\n\n";
  text += line_of({"cell", "status", "top1", "real bits", "seconds"}) + rule(5);
  for (const auto& id : input.cell_order) {
    const auto found = input.records.find(id);
    if (found == input.records.end()) {
      text += line_of({id, "not run yet", "-", "-", "-"});
      continue;
    }
    const auto& record = found->second;
    const auto top1 = metric_value(record, "top1");
    const auto seconds = record.seconds.find("total");
    text += line_of({id, status_name(record.status) + (record.reason.empty() ? "" : ": " + record.reason),
                     top1 ? number_text(*top1, 2) : "-",
                     record.facts.contains("weight_real_bits")
                         ? fact(record, "weight_real_bits") + "/" + fact(record, "activation_real_bits")
                         : "-",
                     seconds == record.seconds.end() ? "-" : number_text(seconds->second)});
  }
  return text;
}

std::string integers(const ReportInput& input) {
  const auto table = integer_table(input);
  if (table.rows.empty()) return {};
  std::string text =
      "\n## As integers\n\nEach quantized network frozen into codes and thresholds and run on the integer engine: the "
      "twin "
      "check compares its first choice with fake-quant evaluation's on every test image. " +
      std::to_string(table.equal) + " cells equal, " + std::to_string(table.differing) + " differ, " +
      std::to_string(table.none) + " have no integer form; " + std::to_string(table.images) +
      " images compared. Bytes: weights at their bits, scales, float layers. Images/s: one image at a time, one "
      "thread, "
      "on the machine that made the record; x full precision: against LibTorch in float32, taken in turns. Without "
      "module: whether the network frozen without the auxiliary module gives the same file, so the same speed.\n\n";
  text += line_of(table.header) + rule(table.header.size());
  for (const auto& row : table.rows) text += line_of(row.texts);
  return text;
}

std::string provenance(const ReportInput& input) {
  std::map<std::string, std::set<std::string>> distinct;
  for (const auto& [id, record] : input.records) {
    const auto& made = record.provenance;
    distinct["auxbench"].insert(made.version + ", commit " + made.commit + (made.dirty ? ", with local changes" : ""));
    distinct["compiler"].insert(made.compiler);
    distinct["torch"].insert(made.torch);
    distinct["machine"].insert(made.cpu + (made.gpu.empty() ? "" : ", " + made.gpu) + ", " +
                               std::to_string(made.threads) + " threads, " + made.os);
    if (!made.data_manifest.empty()) distinct["data (SHA-256)"].insert(made.data_manifest);
  }
  std::string text =
      "\n## Provenance\n\nMade by `" + input.command + "`; each record carries the command that makes it alone.\n\n";
  text += line_of({"what", "which"}) + rule(2);
  for (const auto& [name, values] : distinct)
    for (const auto& value : values) text += line_of({name, value});
  return text;
}

}  // namespace

std::string render_markdown(const ReportInput& input) {
  std::string text = "# " + escaped(input.title) + "\n\n" + headline(input) + claims(input);
  for (const auto& table : input.tables) text += table_text(table, input);
  return text + integers(input) + cells(input) + provenance(input);
}

}  // namespace auxbench
