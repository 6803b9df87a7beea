#include "reports/claims_in_words.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "reports/texts.h"

namespace auxbench {
namespace {

constexpr int kEnoughSeeds = 3;

std::string seeds_text(int count) { return std::to_string(count) + (count == 1 ? " seed" : " seeds"); }

std::string interval_text(const Summary& gains) {
  return "(95 % interval " + signed_text(gains.mean - gains.half_width) + " .. " +
         signed_text(gains.mean + gains.half_width) + ", " + seeds_text(gains.count) + ")";
}

// What its gains say about a loss of no more than the margin.
std::string finding_within(const ClaimRow& row, double margin) {
  const auto& gains = row.gains;
  const auto difference = "a difference of " + signed_text(gains.mean) + " points " + interval_text(gains);
  if (row.verdict == Verdict::positive) return "yes, " + difference + " stays within " + number_text(margin) + ".";
  if (row.verdict == Verdict::negative) return "no, " + difference + " goes beyond " + number_text(margin) + ".";
  return "undecided, " + difference + ": the interval holds " + signed_text(-margin) + ".";
}

std::string finding(const ClaimRow& row, std::optional<double> margin) {
  const auto& gains = row.gains;
  if (margin && gains.count > 1) return finding_within(row, *margin);
  switch (row.verdict) {
    case Verdict::no_data:
      return "not measured.";
    case Verdict::one_seed:
      return "one seed (" + signed_text(gains.mean) + " points): not evidence.";
    case Verdict::positive:
      return "yes, by " + number_text(gains.mean) + " points " + interval_text(gains) + ".";
    case Verdict::negative:
      return "no, it costs " + number_text(-gains.mean) + " points " + interval_text(gains) + ".";
    case Verdict::inconclusive:
      return "undecided, " + signed_text(gains.mean) + " points " + interval_text(gains) + ": the interval holds zero.";
  }
  return {};
}

// Those of claims in the metric, or of all.
std::vector<const ClaimRow*> rows_of(const std::vector<ClaimModel>& claims, const std::string& metric = {}) {
  std::vector<const ClaimRow*> rows;
  static const ClaimRow kNone;
  for (const auto& claim : claims) {
    if (!metric.empty() && claim.metric != metric) continue;
    if (claim.rows.empty()) rows.push_back(&kNone);
    for (const auto& row : claim.rows) rows.push_back(&row);
  }
  return rows;
}

std::string counts(const std::vector<const ClaimRow*>& rows) {
  const auto count = [&](auto fits) { return std::to_string(std::count_if(rows.begin(), rows.end(), fits)); };
  const auto is = [](Verdict verdict) { return [verdict](const ClaimRow* row) { return row->verdict == verdict; }; };
  const auto no_evidence = [](const ClaimRow* row) {
    return row->verdict == Verdict::no_data || row->verdict == Verdict::one_seed;
  };
  return std::to_string(rows.size()) + (rows.size() == 1 ? " claim: " : " claims: ") + count(is(Verdict::positive)) +
         " confirmed, " + count(is(Verdict::negative)) + " reversed, " + count(is(Verdict::inconclusive)) +
         " undecided, " + count(no_evidence) + " with one seed or none.";
}

double mean_gain(std::vector<const ClaimRow*>::const_iterator begin, std::vector<const ClaimRow*>::const_iterator end) {
  double sum = 0;
  for (auto row = begin; row != end; ++row) sum += (*row)->gains.mean;
  return sum / static_cast<double>(end - begin);
}

// Rows are kept in order where they lose the same.
std::string by_gap(std::vector<const ClaimRow*> rows, const std::string& of_which) {
  std::erase_if(rows, [](const ClaimRow* row) { return row->gains.count < kEnoughSeeds || !row->gap; });
  if (rows.size() < 4) return {};
  std::stable_sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) { return *a->gap > *b->gap; });
  const auto half = rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 2);
  return " Of the " + std::to_string(rows.size()) + of_which + " with three seeds or more, the " +
         std::to_string(half - rows.begin()) + " whose baseline loses most to full precision (" +
         number_text(*(*(half - 1))->gap) + " points or more) gain " + signed_text(mean_gain(rows.begin(), half)) +
         " points on average, the other " + std::to_string(rows.end() - half) + " " +
         signed_text(mean_gain(half, rows.end())) + ".";
}

}  // namespace

std::vector<std::string> claim_sentences(const ClaimModel& claim) {
  std::vector<std::string> sentences;
  const auto texts = claim_texts(claim);
  for (size_t i = 0; i < texts.size(); ++i)
    sentences.push_back(texts[i].text + ": " + finding(claim.rows.empty() ? ClaimRow{} : claim.rows[i], claim.margin));
  return sentences;
}

std::string claims_summary(const std::vector<ClaimModel>& claims) {
  if (claims.empty()) return {};
  std::vector<std::string> metrics;
  for (const auto& claim : claims)
    if (!claim.metric.empty() && std::find(metrics.begin(), metrics.end(), claim.metric) == metrics.end())
      metrics.push_back(claim.metric);
  // Points of one metric are not those of another: the first that a claim is in.
  if (metrics.size() < 2) return counts(rows_of(claims)) + by_gap(rows_of(claims), "");
  return counts(rows_of(claims)) + by_gap(rows_of(claims, metrics[0]), " in " + metric_title(metrics[0]));
}

}  // namespace auxbench
