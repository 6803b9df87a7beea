// The report as Markdown: first line what ran, then claims, tables, cells, provenance.
#include <algorithm>

#include "base/format.h"
#include "reports/category_table.h"
#include "reports/claims_in_words.h"
#include "reports/claims_plot.h"
#include "reports/code_table.h"
#include "reports/detection_model.h"
#include "reports/detection_plots.h"
#include "reports/integer_table.h"
#include "reports/markdown_syntax.h"
#include "reports/origin.h"
#include "reports/report.h"
#include "reports/texts.h"

namespace auxbench {
namespace {

std::string headline(const Plan& plan, const Origin& origin) {
  std::string text = "Tier **" + escaped(plan.tier) + "**";
  text += origin.machines.empty() ? ", nothing has run yet" : " on " + escaped(origin.machines);
  if (plan.proxy)
    text += ": a proxy (" + escaped(plan.proxy_reason) +
            "). The paper's figures stand beside it and are not comparable; what can be compared is the sign and order "
            "of the gains.";
  else
    text += ".";
  text += "\n";
  for (const auto& missing : origin.missing) text += "\nNot the whole dataset: " + escaped(missing) + ".\n";
  return text;
}

std::string claims(const std::vector<ClaimModel>& models) {
  if (models.empty()) return {};
  const bool several = std::any_of(models.begin(), models.end(),
                                   [](const ClaimModel& one) { return one.margin || !one.against.empty(); });
  std::string text =
      several
          ? "\n## Claims\n\nGains in points of the table's first metric, paired by seed, over the baseline column or "
            "the "
            "one that a claim names. A claim that no more than a margin is lost holds where the 95 % interval lies "
            "above minus the margin.\n\n"
          : "\n## Claims\n\nGains in points of the table's first metric over the baseline column, paired by seed.\n\n";
  text += table_header({"claim", "measured", "verdict", "paper"});
  for (const auto& claim : models)
    for (const auto& line : claim_texts(claim))
      text += table_line({line.text, line.measured, line.verdict, line.reported});
  text += std::string("\n![Gain of each seed, their mean with its 95 % interval, and the paper's](") + kClaimsPlotFile +
          ")\n\n" + paragraph(claims_summary(models)) + "\n\n";
  for (const auto& claim : models)
    for (const auto& sentence : claim_sentences(claim)) text += "- " + escaped(sentence) + "\n";
  return text;
}

// A line of measured numbers, and one of the paper's where it has any.
std::string row_text(const RowModel& row, const Table& table, bool& with_figures) {
  std::vector<std::string> measured = {row.title}, reported = {"paper"};
  bool figures = false;
  for (const auto& entry : row.entries) {
    measured.push_back(measured_text(entry));
    reported.push_back(reported_text(entry, table));
    figures = figures || reported.back() != "-";
  }
  with_figures = with_figures || figures;
  return table_line(measured) + (figures ? table_line(reported) : "");
}

// A column a column, a line a row.
std::string wide_table(const TableModel& model, bool& with_figures) {
  const auto& table = *model.table;
  std::string metrics;
  for (const auto& metric : table.metrics) metrics += (metrics.empty() ? "" : " / ") + metric;
  std::string text = "Each entry: " + escaped(metrics) + " in percent; then the difference of " +
                     escaped(table.metrics.front()) + " to full precision (FP) and to the baseline (base).\n\n";
  std::vector<std::string> header = {""};
  for (const auto& column : table.columns) header.push_back(column.title);
  text += table_header(header);
  for (const auto& row : model.rows) text += row_text(row, table, with_figures);
  return text;
}

// A line of the paper's figures under the entry's own, where it has any.
std::string entry_lines(const std::string& title, const EntryModel& entry, const Table& table, bool& with_figures) {
  const auto runs = entry.measured.empty() ? 0 : entry.measured.front().runs.count;
  std::vector<std::string> measured = {title, runs == 0 ? "-" : std::to_string(runs)}, reported = {"paper", ""};
  for (const auto& text : measured_texts(entry, table)) measured.push_back(text);
  for (const auto& text : reported_texts(entry, table)) reported.push_back(text);
  if (entry.reported.empty()) return table_line(measured);
  with_figures = true;
  return table_line(measured) + table_line(reported);
}

// A column a metric, a line an entry: six numbers and their differences in one place cannot be read.
std::string tall_table(const TableModel& model, bool& with_figures) {
  const auto& table = *model.table;
  std::string text =
      "In percent: mean over n seeds, their standard deviation, the difference to full precision (FP), and of " +
      escaped(metric_title(table.metrics.front())) + " to the baseline (base).\n\n";
  std::vector<std::string> header = {"", "n"};
  for (const auto& metric : table.metrics) header.push_back(metric_title(metric));
  text += table_header(header);
  for (const auto& row : model.rows)
    for (size_t i = 0; i < row.entries.size(); ++i)
      text += entry_lines(row.title + ", " + table.columns[i].title, row.entries[i], table, with_figures);
  return text;
}

// Of the rows of the plan's table at this place: what was drawn of them, or why nothing was.
std::string row_pictures(const ReportInput& input, size_t table) {
  std::string text;
  for (const auto& picture : input.pictures) {
    if (picture.table != table) continue;
    const auto& row = input.plan.tables[table].rows.at(picture.row).title;
    if (picture.file.empty())
      text += "\n" + paragraph("No picture of " + row + ": " + picture.text) + "\n";
    else
      text += "\n" + paragraph(row + ", " + picture.text) + ".\n\n![" + escaped("Boxes of " + row) + "](" +
              picture.file + ")\n";
  }
  return text;
}

std::string table_text(const ReportInput& input, const TableModel& model, size_t place) {
  const auto& plan = input.plan;
  const auto& table = *model.table;
  bool with_figures = false;
  std::string text = "\n## " + escaped(table.title) + "\n\n";
  text +=
      table.metrics.size() > kMostMetricsInAnEntry ? tall_table(model, with_figures) : wide_table(model, with_figures);
  text += "\n";
  if (plan.proxy && with_figures)
    text += "Not comparable with the paper's lines: " + escaped(plan.proxy_reason) + ".\n";
  if (!table.source.empty()) text += "Paper: " + escaped(table.source) + ".\n";
  if (model.mistrusted > 0) text += "\n" + paragraph(mistrusted_note(model.mistrusted)) + "\n";
  if (!table.note.empty()) text += "\n" + paragraph(table.note) + "\n";
  return text + row_pictures(input, place);
}

// Those that write_report puts beside the page.
std::string detection_pictures(const ReportInput& input) {
  std::string text;
  const auto add = [&](const std::string& what, const char* file) { text += "![" + what + "](" + file + ")\n\n"; };
  if (!render_precision_plot(input).empty())
    add("Precision over recall of each row's columns at IoU .5 and .75", kPrecisionPlotFile);
  if (!render_category_plot(input).empty()) add("AP of each category less full precision's", kCategoryPlotFile);
  return text.empty() ? text : "\n## Detectors\n\n" + text;
}

std::string by_category(const ReportInput& input) {
  const auto tables = category_tables(detection_panels(input.plan, input.records));
  if (tables.empty()) return {};
  std::string text =
      "### AP by category\n\nIn percent at full precision, then each column less it, in points; means over seeds.\n";
  for (const auto& table : tables) {
    text += "\n" + paragraph(table.title);
    if (table.categories > table.rows.size())
      text += ": the " + std::to_string(kEndCategories) + " of " + std::to_string(table.categories) +
              " categories that lose most, and the " + std::to_string(kEndCategories) +
              " that lose least, by the mean over the columns";
    text += "\n\n" + table_header(table.header);
    for (const auto& row : table.rows) text += table_line(row);
  }
  return text;
}

std::string cell_line(const Record& record, const std::string& metric) {
  std::string value = "-";
  if (!record.metrics.empty()) {
    const auto& first = record.metrics.front();
    value = (first.name == metric ? "" : first.name + " ") + number_text(first.value, 2);
  }
  const auto seconds = record.seconds.find("total");
  const auto bits = real_bits_text(record);
  return table_line({record.id, state_and_why(status_name(record.status), record.reason), value,
                     bits == "-/-" ? "-" : bits, seconds == record.seconds.end() ? "-" : number_text(seconds->second)});
}

std::string cells(const ReportInput& input, const std::string& metric) {
  std::string text =
      "\n## Cells\n\nReal bits are those of the levels a quantizer can return (weights/activations).\n\n";
  text += table_header({"cell", "status", metric, "real bits", "seconds"});
  for (const auto& cell : input.plan.cells) {
    if (const auto found = input.records.find(cell.id); found != input.records.end()) {
      text += cell_line(found->second, metric);
      continue;
    }
    const auto state = state_without_record(cell);
    if (state.state != EntryState::left_out)
      text += table_line({cell.id, state_and_why(state_text(state.state), state.why), "-", "-", "-"});
  }
  return text;
}

std::string integers(const FoundRecords& records, const std::string& metric) {
  const auto table = integer_table(records, metric);
  if (table.rows.empty()) return {};
  std::string text =
      "\n## As integers\n\nEach quantized network frozen into codes and thresholds and run on the integer engine: the "
      "bit-exactness check compares its first choice (a detector's raw outputs and boxes) with fake-quant evaluation's "
      "on every test image. " +
      std::to_string(table.equal) + " cells equal, " + std::to_string(table.differing) + " differ, " +
      std::to_string(table.none) + " have no integer form; " + std::to_string(table.images) +
      " images compared. Bytes: weights at their bits, scales, float layers. Images/s: one image at a time, one "
      "thread, on the machine that made the record; x full precision: against LibTorch in float32, taken in turns. "
      "Without module: whether the network frozen without the auxiliary module gives the same file, so the same "
      "speed.\n\n";
  text += table_header(table.header);
  for (const auto& row : table.rows) text += table_line(row);
  return text;
}

// A warning: what such a network is worth says little about the method it was trained with.
std::string on_one_level(const FoundRecords& records) {
  std::string rows;
  for (const auto* record : records) {
    const auto found = layers_on_one_level(*record);
    if (!found) continue;
    rows += table_line({record->id, std::to_string(found->layers) + " of " + std::to_string(found->of), found->first,
                        number_text(100 * found->most) + " %", number_text(100 * found->beyond) + " %"});
  }
  if (rows.empty()) return {};
  return "\n## Warning: layers on one level\n\nCells in which the activations that enter a layer sit on one level of "
         "its "
         "grid, " +
         number_text(100 * kOnOneLevel, 0) + " % of them or more, or lie beyond its clip, " +
         number_text(100 * kBeyondClip, 0) +
         " % or more: such a layer tells images apart by little, and from beyond the clip no gradient comes back. " +
         code("auxbench show FOLDER CELL --codes") + " has every layer.\n\n" +
         table_header(
             {"cell", "layers", "first of them", "largest share on one level", "largest share beyond the clip"}) +
         rows;
}

std::string provenance(const Plan& plan, const Origin& origin) {
  std::string text = "\n## Provenance\n\nMade by " + code(plan.command) +
                     "; each record carries the command that makes it alone.\n\n" + table_header({"what", "which"});
  for (const auto& [name, values] : origin.made_by)
    for (const auto& value : values) text += table_line({name, value});
  return text;
}

}  // namespace

std::string render_markdown(const ReportInput& input) {
  const auto model = make_report_model(input.plan, input.records);
  const auto records = found_records(input);
  const auto origin = origin_of(records, input.here);
  const auto metric = deciding_metric(records);
  std::string text = "# " + escaped(input.plan.title) + "\n\n" + headline(input.plan, origin) + claims(model.claims);
  for (size_t i = 0; i < model.tables.size(); ++i) text += table_text(input, model.tables[i], i);
  text += detection_pictures(input) + by_category(input);
  return text + on_one_level(records) + integers(records, metric) + cells(input, metric) +
         provenance(input.plan, origin);
}

}  // namespace auxbench
