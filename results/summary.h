// From records of one cell over several seeds to one number and how far it can be trusted.
#pragma once

#include <cstdint>
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

// The same as it stood after an epoch, from the metric's curve. None where the curve has no such epoch.
std::optional<double> metric_at_epoch(const Record& record, const std::string& metric, int epoch);

// The seed of the record's cell; 0, the default, where the spec does not name it.
int64_t seed_of(const Record& record);

struct SeedValue {
  int64_t seed = 0;
  double value = 0;
};

// Differences after - before, for each pair of equal seed. A seed that only one side has is left out.
std::vector<double> paired_gains(const std::vector<SeedValue>& before, const std::vector<SeedValue>& after);

// What paired gains say. The test is the paired t-test, two-sided, at the 5 % level: with the mean m of n gains and
// their sample standard deviation s,
//
//   positive      m - t s / sqrt(n) > 0      t: the 97.5 % quantile of Student's t with n - 1 degrees of freedom
//   negative      m + t s / sqrt(n) < 0
//   inconclusive  zero lies within the interval
//
// With a margin d it is a test of non-inferiority, whether no more than d is lost: the same for the gains plus d, so that
//
//   positive      m - t s / sqrt(n) > -d     the loss stays within the margin
//   negative      m + t s / sqrt(n) < -d     it goes beyond
//   inconclusive  -d lies within the interval
//
// (Piaggio, Elbourne, Pocock, Evans, Altman: Reporting of noninferiority and equivalence randomized trials, JAMA 308,
// 2012: by the 95 % interval, which is one-sided at 2.5 %.) One gain has no spread and is no evidence. Each claim is tested by itself: the level is not corrected for how many
// claims a suite makes.
enum class Verdict { no_data, one_seed, positive, negative, inconclusive };

Verdict verdict(const Summary& gains, std::optional<double> margin = std::nullopt);

// "not measured", "one seed: not evidence", "positive", "negative", "inconclusive"; with a margin "within 1.0" and
// "beyond 1.0" in place of positive and negative.
std::string verdict_text(Verdict verdict, std::optional<double> margin = std::nullopt);

}  // namespace auxbench
