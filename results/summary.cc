#include "results/summary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

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

Record at_epoch(const Record& record, int epoch) {
  Record then = record;
  then.metrics.clear();
  const auto epochs = record.curves.find("epoch");
  if (epochs == record.curves.end()) return then;
  const auto found = std::find(epochs->second.begin(), epochs->second.end(), static_cast<double>(epoch));
  const auto index = static_cast<size_t>(found - epochs->second.begin());
  for (const auto& metric : record.metrics)
    if (const auto curve = record.curves.find(metric.name);
        curve != record.curves.end() && index < curve->second.size()) {
      then.metrics.push_back(metric);
      then.metrics.back().value = curve->second[index];
    }
  return then;
}

std::vector<double> paired_gains(const std::vector<Record>& a, const std::vector<Record>& b,
                                 const std::string& metric) {
  std::vector<double> gains;
  for (const auto& first : a) {
    for (const auto& second : b) {
      if (first.spec.value("seed", 0) != second.spec.value("seed", 0)) continue;
      const auto before = metric_value(first, metric), after = metric_value(second, metric);
      if (before && after) gains.push_back(*after - *before);
    }
  }
  return gains;
}

std::string verdict(const Summary& gains) {
  if (gains.count == 0) return "not measured";
  if (gains.count == 1) return "one seed: not evidence";
  if (gains.mean - gains.half_width > 0) return "positive";
  if (gains.mean + gains.half_width < 0) return "negative";
  return "inconclusive";
}

}  // namespace auxbench
