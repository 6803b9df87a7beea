// The claims of a report as a picture, a row for each: the measured gain of each seed, their mean with its 95 % interval
// (Student's t over paired seeds, results/summary.h), the gain that the paper reports, and the verdict in words. SVG, no
// library needed to draw or to show it; it follows a reader's light or dark scheme.
#pragma once

#include <string>

#include "reports/report.h"

namespace auxbench {

inline constexpr const char* kClaimsPlotFile = "claims.svg";  // in a results folder, shown by report.md

// The same input gives the same bytes. Empty where the plan makes no claim.
std::string render_claims_plot(const ReportInput& input);

}  // namespace auxbench
