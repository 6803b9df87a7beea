#include "results/summary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "base/format.h"

namespace auxbench {
namespace {

// Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom (NIST/SEMATECH e-Handbook, table 1.3.6.7.2).
constexpr std::array<double, 30> kStudent = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                                             2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
                                             2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};

double student_quantile(int degrees) {
  // Beyond the table the last entry is kept: it is a little too wide, never too narrow.
  return kStudent.at(static_cast<size_t>(std::min(degrees, 30) - 1));
}

}  // namespace

Summary summarize(const std::vector<double>& values) {
  Summary summary = {.count = static_cast<int>(values.size())};
  if (values.empty()) return summary;
  const auto n = static_cast<double>(values.size());
  summary.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() == 1) return summary;
  double squares = 0;
  for (const double value : values) squares += (value - summary.mean) * (value - summary.mean);
  summary.deviation = std::sqrt(squares / (n - 1));
  summary.half_width = student_quantile(summary.count - 1) * summary.deviation / std::sqrt(n);
  return summary;
}

std::optional<double> metric_value(const Record& record, const std::string& metric) {
  for (const auto& one : record.metrics)
    if (one.name == metric) return one.value;
  return std::nullopt;
}

std::optional<double> metric_at_epoch(const Record& record, const std::string& metric, int epoch) {
  const auto epochs = record.curves.find("epoch"), curve = record.curves.find(metric);
  if (epochs == record.curves.end() || curve == record.curves.end()) return std::nullopt;
  const auto found = std::find(epochs->second.begin(), epochs->second.end(), static_cast<double>(epoch));
  const auto index = static_cast<size_t>(found - epochs->second.begin());
  // The list of epochs ends first where there is no such epoch, the curve where the run diverged.
  if (found == epochs->second.end() || index >= curve->second.size()) return std::nullopt;
  return curve->second[index];
}

int64_t seed_of(const Record& record) {
  if (!record.spec.is_object()) return 0;
  const auto seed = record.spec.find("seed");
  return seed != record.spec.end() && seed->is_number_integer() ? seed->get<int64_t>() : 0;
}

std::vector<double> paired_gains(const std::vector<SeedValue>& before, const std::vector<SeedValue>& after) {
  std::vector<double> gains;
  for (const auto& first : before)
    for (const auto& second : after)
      if (first.seed == second.seed) gains.push_back(second.value - first.value);
  return gains;
}

Verdict verdict(const Summary& gains, std::optional<double> margin) {
  if (gains.count == 0) return Verdict::no_data;
  if (gains.count == 1) return Verdict::one_seed;
  const double bound = -margin.value_or(0);
  if (gains.mean - gains.half_width > bound) return Verdict::positive;
  if (gains.mean + gains.half_width < bound) return Verdict::negative;
  return Verdict::inconclusive;
}

std::string verdict_text(Verdict verdict, std::optional<double> margin) {
  switch (verdict) {
    case Verdict::no_data:
      return "not measured";
    case Verdict::one_seed:
      return "one seed: not evidence";
    case Verdict::positive:
      return margin ? "within " + number_text(*margin) : "positive";
    case Verdict::negative:
      return margin ? "beyond " + number_text(*margin) : "negative";
    case Verdict::inconclusive:
      return "inconclusive";
  }
  AUXBENCH_CHECK(false, "a verdict with a name");
}

}  // namespace auxbench
