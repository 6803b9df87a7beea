#include "reports/texts.h"

#include <algorithm>
#include <map>

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

// Each says the n of its pairs where it is not `runs`.
std::string measured_deltas(const std::vector<Delta>& deltas, int runs) {
  std::string text;
  for (const auto& delta : deltas) {
    if (delta.measured.count == 0) continue;
    text += ", " + signed_text(delta.measured.mean) + " " + short_name(delta.against);
    if (delta.measured.count != runs) text += " (n = " + std::to_string(delta.measured.count) + ")";
  }
  return text;
}

std::string reported_deltas(const std::vector<Delta>& deltas) {
  std::string text;
  for (const auto& delta : deltas)
    if (delta.reported) text += ", " + signed_text(*delta.reported) + " " + short_name(delta.against);
  return text;
}

ClaimText text_of(const ClaimModel& claim, const ClaimRow& row) {
  ClaimText laid = {.text = claim.text,
                    .measured = "not measured",
                    .verdict = verdict_text(row.verdict, claim.margin),
                    .reported = "-"};
  if (claim.every_row) laid.text += " (" + row.row + ")";
  if (!claim.against.empty()) laid.text += ", against " + claim.against;
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
  text += measured_deltas(entry.deltas, first.count);
  if (!entry.uncounted.empty()) text += "; " + uncounted_text(entry);
  return text;
}

std::string metric_title(const std::string& metric) {
  static const std::map<std::string, std::string> kTitles = {
      {"top1", "top-1"}, {"top5", "top-5"}, {"ap", "AP"},   {"ap50", "AP50"}, {"ap75", "AP75"},  {"aps", "APS"},
      {"apm", "APM"},    {"apl", "APL"},    {"ar1", "AR1"}, {"ar10", "AR10"}, {"ar100", "AR100"}};
  const auto found = kTitles.find(metric);
  return found == kTitles.end() ? metric : found->second;
}

std::vector<std::string> measured_texts(const EntryModel& entry, const Table& table) {
  std::vector<std::string> texts(table.metrics.size(), "-");
  if (entry.measured.empty()) {
    texts.front() = absence(entry);
    return texts;
  }
  for (const auto& metric : entry.measured) {
    const auto place = static_cast<size_t>(std::find(table.metrics.begin(), table.metrics.end(), metric.metric) -
                                           table.metrics.begin());
    auto& text = texts[place];
    text = number_text(metric.runs.mean);
    if (metric.runs.count > 1) text += " (sd " + number_text(metric.runs.deviation) + ")";
    std::vector<Delta> deltas = place == 0 ? entry.deltas : std::vector<Delta>();
    if (place > 0 && place < entry.to_full_precision.size()) deltas.push_back(entry.to_full_precision[place]);
    text += measured_deltas(deltas, metric.runs.count);
  }
  if (!entry.uncounted.empty()) texts.front() += "; " + uncounted_text(entry);
  return texts;
}

std::vector<std::string> reported_texts(const EntryModel& entry, const Table& table) {
  std::vector<std::string> texts(table.metrics.size(), "-");
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto found = entry.reported.find(table.metrics[i]);
    if (found == entry.reported.end()) continue;
    texts[i] = number_text(found->second);
    std::vector<Delta> deltas = i == 0 ? entry.deltas : std::vector<Delta>();
    if (i > 0 && i < entry.to_full_precision.size()) deltas.push_back(entry.to_full_precision[i]);
    texts[i] += reported_deltas(deltas);
  }
  return texts;
}

std::string reported_text(const EntryModel& entry, const Table& table) {
  std::string text;
  for (const auto& metric : table.metrics)
    if (const auto found = entry.reported.find(metric); found != entry.reported.end())
      append(text, " / ", number_text(found->second));
  if (text.empty()) return "-";
  return text + reported_deltas(entry.deltas);
}

std::vector<ClaimText> claim_texts(const ClaimModel& claim) {
  if (claim.rows.empty())
    return {text_of(
        {.text = claim.text, .metric = {}, .every_row = false, .against = {}, .margin = claim.margin, .rows = {}},
        ClaimRow{})};
  std::vector<ClaimText> texts;
  for (const auto& row : claim.rows) texts.push_back(text_of(claim, row));
  return texts;
}

std::string mistrusted_note(int runs) {
  if (runs == 0) return {};
  return plural(runs, "mistrusted run") + (runs == 1 ? " is" : " are") + " left out of means and differences.";
}

}  // namespace auxbench
