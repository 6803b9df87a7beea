#include "reports/texts.h"

#include <algorithm>

#include "base/format.h"

namespace auxbench {
namespace {

const char* short_name(Against against) { return against == Against::full_precision ? "FP" : "base"; }

void append(std::string& text, const char* separator, const std::string& part) {
  text += (text.empty() ? "" : separator) + part;
}

std::string plural(int count, const std::string& word) {
  return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

std::string uncounted_text(const EntryModel& entry) {
  std::string text;
  for (const auto& group : entry.uncounted) {
    const auto part = state_and_why(state_text(group.state), group.why);
    append(text, "; ", std::to_string(group.count) + " of " + plural(entry.runs, "run") + " " + part);
  }
  return text;
}

std::string absence(const EntryModel& entry) {
  if (entry.uncounted.empty()) return state_text(entry.state);
  if (entry.uncounted.size() > 1) return uncounted_text(entry);
  return state_and_why(state_text(entry.state), entry.uncounted.front().why);
}

ClaimText text_of(const ClaimModel& claim, const ClaimRow& row) {
  ClaimText laid = {
      .text = claim.text, .measured = "not measured", .verdict = verdict_text(row.verdict), .reported = "-"};
  if (claim.every_row) laid.text += " (" + row.row + ")";
  const auto& gains = row.gains;
  if (gains.count > 0) laid.measured = signed_text(gains.mean);
  if (gains.count > 1)
    laid.measured += " (sd " + number_text(gains.deviation) + ", n = " + std::to_string(gains.count) + ", 95 % CI " +
                     signed_text(gains.mean - gains.half_width) + " .. " + signed_text(gains.mean + gains.half_width) +
                     ")";
  if (row.mistrusted > 0) laid.verdict += "; left out: " + plural(row.mistrusted, "mistrusted run") + ", " + row.doubt;
  if (row.reported_before && row.reported_after)
    laid.reported = signed_text(*row.reported_after - *row.reported_before) + " (" + number_text(*row.reported_before) +
                    " -> " + number_text(*row.reported_after) + ")";
  return laid;
}

}  // namespace

std::string state_and_why(const std::string& state, const std::string& why) {
  return why.empty() ? state : state + ": " + why;
}

std::string measured_text(const EntryModel& entry) {
  if (entry.measured.empty()) return absence(entry);
  std::string text;
  for (const auto& metric : entry.measured) append(text, " / ", number_text(metric.runs.mean));
  const auto& first = entry.measured.front().runs;
  if (first.count > 1) text += " (sd " + number_text(first.deviation) + ", n = " + std::to_string(first.count) + ")";
  for (const auto& delta : entry.deltas) {
    if (delta.measured.count == 0) continue;
    text += ", " + signed_text(delta.measured.mean) + " " + short_name(delta.against);
    if (delta.measured.count != first.count) text += " (n = " + std::to_string(delta.measured.count) + ")";
  }
  if (!entry.uncounted.empty()) text += "; " + uncounted_text(entry);
  return text;
}

std::string reported_text(const EntryModel& entry, const Table& table) {
  std::string text;
  for (const auto& metric : table.metrics)
    if (const auto found = entry.reported.find(metric); found != entry.reported.end())
      append(text, " / ", number_text(found->second));
  if (text.empty()) return "-";
  for (const auto& delta : entry.deltas)
    if (delta.reported) text += ", " + signed_text(*delta.reported) + " " + short_name(delta.against);
  return text;
}

std::vector<ClaimText> claim_texts(const ClaimModel& claim) {
  if (claim.rows.empty())
    return {text_of({.text = claim.text, .metric = {}, .every_row = false, .rows = {}}, ClaimRow{})};
  std::vector<ClaimText> texts;
  for (const auto& row : claim.rows) texts.push_back(text_of(claim, row));
  return texts;
}

std::string mistrusted_note(int runs) {
  if (runs == 0) return {};
  return plural(runs, "mistrusted run") + (runs == 1 ? " is" : " are") + " left out of means and differences.";
}

}  // namespace auxbench
