#include <cstdio>

#include "base/files/file.h"
#include "base/interrupt.h"
#include "runner/app/torch/suite.h"
#include "runner/app/torch/verbs.h"
#include "runner/sweep/suite_runner.h"

namespace auxbench {
namespace {

void say_summary(const RunResult& result, const std::filesystem::path& report, Progress& progress) {
  const double overhead = result.wall_seconds > 0 ? 100 * (1 - result.cell_seconds / result.wall_seconds) : 0;
  std::string line = std::to_string(result.completed) + " completed, " + std::to_string(result.cached) + " cached, " +
                     std::to_string(result.skipped) + " skipped, " + std::to_string(result.failed) + " failed, " +
                     std::to_string(result.not_run) + " not run, in " + duration_text(result.wall_seconds);
  if (result.completed > 0)
    line += " (" + std::to_string(overhead).substr(0, 4) + " % of it outside training and evaluation)";
  progress.line(line);
  progress.line("report: " + report.string());
  if (result.signal != 0) progress.line("interrupted: the same command resumes where it stopped");
}

}  // namespace

ExitCode run(const RunArguments& arguments) {
  const auto opened = open_suite(arguments.suite, "run");
  Progress progress(arguments.quiet);
  Store store(opened.out);
  watch_signals();
  for (const auto& warning : store.warnings()) progress.warning(warning);
  progress.line(opened.suite.title + ": tier " + opened.suite.tier +
                (opened.suite.proxy ? ", a proxy: " + opened.suite.proxy_reason : "") + "; " +
                std::to_string(opened.suite.cells.size()) + " cells into " + opened.out.string());
  ReportInput input;
  const auto write_report = [&] {
    input = report_input(opened.suite, opened.context, store.records(), opened.command);
    write_file_atomically(opened.out / "report.md", render_markdown(input));
  };
  const RunOptions options = {
      .budget_seconds = arguments.budget_seconds, .fail_fast = arguments.fail_fast, .after_cell = write_report};
  const auto result = run_suite(opened.suite, opened.context, options, store, progress);
  write_report();
  std::fputs(render_console(input).c_str(), stdout);
  std::fflush(stdout);  // before the summary, which goes to stderr
  say_summary(result, opened.out / "report.md", progress);
  return exit_code(result);
}

}  // namespace auxbench
