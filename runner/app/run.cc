// auxbench run SUITE: train, evaluate, record, report.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/files/file.h"
#include "base/interrupt.h"
#include "runner/app/app.h"
#include "runner/app/duration.h"
#include "runner/plan/extend_plan.h"
#include "runner/sweep/suite_runner.h"

namespace auxbench {
namespace {

struct RunArguments {
  SuiteArguments suite;
  std::string budget;
  bool fail_fast = false;
  bool quiet = false;
};

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

ExitCode run(const RunArguments& arguments) {
  const auto budget = parse_duration(arguments.budget, "--budget");
  const auto opened = open_suite(arguments.suite, "run");
  Progress progress(arguments.quiet);
  Store store(opened.out);
  watch_signals();
  for (const auto& warning : store.warnings()) progress.warning(warning);
  const auto kept = keep_plan(opened.plan, opened.out);
  const auto selected =
      std::count_if(opened.plan.cells.begin(), opened.plan.cells.end(), [](const auto& cell) { return cell.selected; });
  progress.line(opened.plan.title + ": tier " + opened.plan.tier +
                (opened.plan.proxy ? ", a proxy: " + opened.plan.proxy_reason : "") + "; " + std::to_string(selected) +
                " cells into " + opened.out.string());
  ReportInput input;
  const auto here = machine_text(opened.context.device.str(), opened.context.provenance);
  const auto write_report = [&] {
    input = report_input(kept, store.records(), here);
    write_file_atomically(opened.out / "report.md", render_markdown(input));
  };
  const RunOptions options = {.budget_seconds = budget, .fail_fast = arguments.fail_fast, .after_cell = write_report};
  const auto result = run_suite(opened.plan, opened.context, options, store, progress);
  write_report();
  std::fputs(render_console(input).c_str(), stdout);
  std::fflush(stdout);  // before the summary, which goes to stderr
  say_summary(result, opened.out / "report.md", progress);
  return exit_code(result);
}

}  // namespace

void add_run(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<RunArguments>();
  auto* verb = app.add_subcommand("run", "train and evaluate the cells of a suite, then report");
  add_suite_options(*verb, arguments->suite);
  verb->add_option("--budget", arguments->budget, "start no new cell after this time, e.g. 90s, 30m, 6h");
  verb->add_flag("--fail-fast", arguments->fail_fast, "stop at the first cell that fails");
  verb->add_flag("-q,--quiet", arguments->quiet, "no progress, only warnings and the tables");
  verb->callback([arguments, &outcome] { outcome = run(*arguments); });
}

}  // namespace auxbench
