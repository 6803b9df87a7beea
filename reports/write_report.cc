#include "base/files/file.h"
#include "reports/claims_plot.h"
#include "reports/detection_plots.h"
#include "reports/report.h"

namespace auxbench {

std::filesystem::path write_report(const ReportInput& input, const std::filesystem::path& folder) {
  if (const auto plot = render_claims_plot(input); !plot.empty()) write_file_atomically(folder / kClaimsPlotFile, plot);
  if (const auto plot = render_precision_plot(input); !plot.empty())
    write_file_atomically(folder / kPrecisionPlotFile, plot);
  if (const auto plot = render_category_plot(input); !plot.empty())
    write_file_atomically(folder / kCategoryPlotFile, plot);
  auto page = folder / kReportFile;
  write_file_atomically(page, render_markdown(input));
  return page;
}

}  // namespace auxbench
