// Detectors as pictures, a panel for each row of a table whose records have what is drawn (detection_model.h): precision
// over recall of each column at IoU .5 and .75, and the AP of each category less full precision's. SVG that follows a
// reader's light or dark scheme.
#pragma once

#include <string>

#include "reports/report.h"

namespace auxbench {

// In a results folder, shown by report.md.
inline constexpr const char* kPrecisionPlotFile = "precision-recall.svg";
inline constexpr const char* kCategoryPlotFile = "category-ap.svg";

// The same input gives the same bytes. Empty where no record has what is drawn; of the second, where none of full
// precision has.
std::string render_precision_plot(const ReportInput& input);
std::string render_category_plot(const ReportInput& input);

}  // namespace auxbench
