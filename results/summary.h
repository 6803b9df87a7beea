// From records of one cell over several seeds to one number and how far it can be trusted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "results/record.h"

namespace auxbench {

struct Summary {
  int count = 0;
  double mean = 0;
  double deviation = 0;   // sample standard deviation (N - 1); 0 for one value
  double half_width = 0;  // of the 95 % confidence interval of the mean, Student's t; 0 for one value
};

Summary summarize(const std::vector<double>& values);

// The metric of a record, if it has it.
std::optional<double> metric_value(const Record& record, const std::string& metric);

// The record as it stood after an epoch: metrics are those of its curves. Without metrics when it has no such epoch.
Record at_epoch(const Record& record, int epoch);

// Differences `b` - `a` of the metric, pair by pair of equal seed (spec.seed); pairs without both numbers are left out.
std::vector<double> paired_gains(const std::vector<Record>& a, const std::vector<Record>& b, const std::string& metric);

// "positive" or "negative" when the interval excludes zero, else "inconclusive"; one value is "one seed: not evidence".
std::string verdict(const Summary& gains);

}  // namespace auxbench
