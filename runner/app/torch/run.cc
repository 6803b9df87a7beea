#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>

#include "base/duration.h"
#include "base/interrupt.h"
#include "base/stopwatch.h"
#include "datasets/thumbnails.h"
#include "reports/report.h"
#include "runner/app/suite.h"
#include "runner/app/torch/verbs.h"
#include "runner/plan/extend_plan.h"
#include "runner/sweep/suite_runner.h"
#include "runner/training/device.h"
#include "runner/training/provenance.h"

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

RunContext context_of(const OpenedSuite& opened, const RunArguments& arguments, const c10::Device& device) {
  RunContext context = {.device = device,
                        .data_root = opened.data.root,
                        .complete_data = opened.data.complete,
                        .workers = arguments.suite.workers,
                        .checkpoint_minutes = arguments.checkpoint_minutes,
                        .provenance = collect_provenance(),
                        .rerun = opened.plan.command};
  context.provenance.device = device.str();
  context.provenance.gpu = gpu_name(device);
  context.provenance.flags = device_flags(device);
  return context;
}

// Pages show them where the data are not. What hinders them hinders no cell, or its own record says so.
void keep_pictures(const OpenedSuite& opened, Progress& progress) {
  std::set<std::string> wanted;
  for (const auto& cell : opened.plan.cells)
    if (cell.selected && cell.unsupported.empty() && cell.missing.empty()) wanted.insert(cell.spec.dataset);
  for (const auto& dataset : wanted) {
    try {
      keep_thumbnails(opened.out, dataset, opened.data);
    } catch (const UserError& error) {
      progress.warning(std::string("no thumbnails of ") + dataset + ": " + error.what());
    }
  }
}

// The page of a folder's plan and records. It is valid at any moment of a run, but with thousands of records it takes
// its time: between cells it may take a twentieth of theirs.
class ReportWriter {
 public:
  ReportWriter(Plan plan, const Store& store, std::string here)
      : plan_(std::move(plan)), store_(store), here_(std::move(here)) {}

  void write_now_and_then() {
    if (since_.seconds() >= 20 * last_seconds_) write();
  }

  ReportInput write() {
    const Stopwatch watch;
    ReportInput input = {.plan = plan_, .records = store_.records(), .here = here_};
    write_report(input, store_.folder());
    last_seconds_ = watch.seconds();
    since_ = Stopwatch();
    return input;
  }

  [[nodiscard]] std::filesystem::path file() const { return store_.folder() / kReportFile; }

 private:
  Plan plan_;
  const Store& store_;
  std::string here_;
  double last_seconds_ = 0;
  Stopwatch since_;
};

void say_what_begins(const OpenedSuite& opened, Progress& progress) {
  const auto& plan = opened.plan;
  const auto selected =
      std::count_if(plan.cells.begin(), plan.cells.end(), [](const PlannedCell& cell) { return cell.selected; });
  progress.line(plan.title + ": tier " + plan.tier + (plan.proxy ? ", a proxy: " + plan.proxy_reason : "") + "; " +
                std::to_string(selected) + " cells into " + opened.out.string());
}

}  // namespace

ExitCode run(const RunArguments& arguments) {
  const auto device = open_device(arguments.suite.device);
  use_threads(arguments.suite.threads);
  const auto opened = open_suite(arguments.suite);
  const auto context = context_of(opened, arguments, device);
  Progress progress(arguments.quiet);
  Store store(opened.out);
  watch_signals();
  for (const auto& warning : opened.warnings) progress.warning(warning);
  ReportWriter report(keep_plan(opened.plan, opened.out), store, machine_text(context.provenance));
  say_what_begins(opened, progress);
  keep_pictures(opened, progress);
  const RunOptions options = {.budget_seconds = arguments.budget_seconds,
                              .fail_fast = arguments.fail_fast,
                              .after_cell = [&] { report.write_now_and_then(); }};
  const auto result = run_suite(opened.plan, context, options, store, progress);
  std::fputs(render_console(report.write()).c_str(), stdout);
  std::fflush(stdout);  // before the summary, which goes to stderr
  say_summary(result, report.file(), progress);
  return exit_code(result);
}

}  // namespace auxbench
