// auxbench run SUITE: train, evaluate, record, report. The cells are computed in worker processes, which load LibTorch;
// this one does not.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>
#include <utility>

#include "base/duration.h"
#include "base/format.h"
#include "base/interrupt.h"
#include "base/output.h"
#include "base/stopwatch.h"
#include "datasets/thumbnails.h"
#include "reports/report.h"
#include "runner/app/app.h"
#include "runner/app/number_check.h"
#include "runner/app/suite.h"
#include "runner/app/torch_verbs.h"
#include "runner/jobs/dispatcher.h"
#include "runner/jobs/job_count.h"
#include "runner/jobs/messages.h"
#include "runner/pictures/box_pictures.h"
#include "runner/plan/extend_plan.h"

namespace auxbench {
namespace {

struct RunArguments {
  SuiteArguments suite;
  std::optional<int> jobs;
  std::optional<double> budget_seconds;  // no new cell starts after it
  double checkpoint_minutes = 10;        // between two checkpoints within an epoch
  bool fail_fast = false;
  bool quiet = false;
};

void say_summary(const RunResult& result, const std::filesystem::path& report, RunScreen& screen) {
  std::string line = std::to_string(result.completed) + " completed, " + std::to_string(result.cached) + " cached, " +
                     std::to_string(result.skipped) + " skipped, " + std::to_string(result.failed) + " failed, " +
                     std::to_string(result.not_run) + " not run, in " + duration_text(result.wall_seconds);
  if (result.completed > 0 && result.worker_seconds > 0)
    line += " (" + number_text(100 * (1 - result.cell_seconds / result.worker_seconds)) +
            " % of the workers' time outside training and evaluation)";
  screen.line(line);
  screen.line("report: " + report.string());
  if (result.signal != 0) screen.line("interrupted: the same command resumes where it stopped");
}

// What a worker is told on its command line.
std::vector<std::string> worker_arguments(const OpenedSuite& opened, const RunArguments& arguments, int jobs,
                                          const MachineShare& share) {
  std::vector<std::string> words = {kWorkerVerb, "--out", opened.out.string(), "--device", arguments.suite.device};
  const auto add = [&](const char* name, const std::string& value) { words.insert(words.end(), {name, value}); };
  if (opened.data.root) add("--data-root", opened.data.root->string());
  if (opened.data.complete) words.emplace_back("--complete-data");
  if (arguments.suite.workers) add("--loader-threads", std::to_string(*arguments.suite.workers));
  add("--processors", std::to_string(std::max(1, share.processors / jobs)));
  add("--checkpoint-minutes", std::to_string(arguments.checkpoint_minutes));
  add("--command", opened.plan.command);
  return words;
}

// Pages show them where the data are not. What hinders them hinders no cell, or its own record says so.
void keep_pictures(const OpenedSuite& opened, RunScreen& screen) {
  std::set<std::string> wanted;
  for (const auto& cell : opened.plan.cells)
    if (cell.selected && cell.unsupported.empty() && cell.missing.empty()) wanted.insert(cell.spec.dataset);
  for (const auto& dataset : wanted) {
    try {
      keep_thumbnails(opened.out, dataset, opened.data);
    } catch (const UserError& error) {
      screen.warning(std::string("no thumbnails of ") + dataset + ": " + error.what());
    }
  }
}

// Says where a data set that is not here would have to be.
void refuse_missing_data(const OpenedSuite& opened) {
  for (const auto& cell : opened.plan.cells)
    if (cell.selected && cell.unsupported.empty() && !cell.missing.empty())
      load_dataset(cell.spec.dataset, opened.data);
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
    ReportInput input = {.plan = plan_,
                         .records = store_.records(),
                         .here = here_,
                         .pictures = draw_box_pictures(plan_, store_.records(), store_)};
    write_report(input, store_.folder());
    last_seconds_ = watch.seconds();
    since_ = Stopwatch();
    return input;
  }

  // For detectors that an older version of this program finished.
  void complete_samples(const DatasetRequest& data, RunScreen& screen) const {
    for (const auto& hindrance : complete_box_samples(plan_, store_.records(), store_, data)) screen.warning(hindrance);
  }

  [[nodiscard]] std::filesystem::path file() const { return store_.folder() / kReportFile; }

 private:
  Plan plan_;
  const Store& store_;
  std::string here_;
  double last_seconds_ = 0;
  Stopwatch since_;
};

void say_what_begins(const OpenedSuite& opened, int jobs, RunScreen& screen) {
  const auto& plan = opened.plan;
  const auto selected =
      std::count_if(plan.cells.begin(), plan.cells.end(), [](const PlannedCell& cell) { return cell.selected; });
  screen.line(plan.title + ": tier " + plan.tier + (plan.proxy ? ", a proxy: " + plan.proxy_reason : "") + "; " +
              std::to_string(selected) + " cells into " + opened.out.string() + ", " + std::to_string(jobs) +
              (jobs == 1 ? " job" : " jobs"));
}

// Tests have no hour to wait for a worker that does nothing.
double silence_seconds() {
  const char* text = std::getenv("AUXBENCH_WORKER_SILENCE");
  return text == nullptr ? DispatchOptions().silence_seconds : std::max(0.1, std::atof(text));
}

ExitCode run(const RunArguments& arguments) {
  find_torch_library();
  const auto opened = open_suite(arguments.suite);
  const auto share = machine_share();
  const auto jobs = count_jobs(opened.plan, arguments.jobs, share);
  RunScreen screen(arguments.quiet);
  Store store(opened.out);
  watch_signals();
  for (const auto& warning : opened.warnings) screen.warning(warning);
  if (!jobs.warning.empty()) screen.warning(jobs.warning);
  ReportWriter report(keep_plan(opened.plan, opened.out), store, this_machine(arguments.suite.device));
  say_what_begins(opened, jobs.jobs, screen);
  refuse_missing_data(opened);
  keep_pictures(opened, screen);
  const DispatchOptions options = {.worker = worker_arguments(opened, arguments, jobs.jobs, share),
                                   .jobs = jobs.jobs,
                                   .budget_seconds = arguments.budget_seconds,
                                   .fail_fast = arguments.fail_fast,
                                   .after_cell = [&] { report.write_now_and_then(); },
                                   .silence_seconds = silence_seconds()};
  const auto result = dispatch(opened.plan, options, store, screen);
  if (result.signal == 0) report.complete_samples(opened.data, screen);
  print_lines(render_console(report.write()));
  static_cast<void>(output_fault());  // all of it before the summary, which goes to stderr; main asks again
  say_summary(result, report.file(), screen);
  return exit_code(result);
}

}  // namespace

void add_run(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<RunArguments>();
  auto budget = std::make_shared<std::string>();
  auto* verb = app.add_subcommand("run", "train and evaluate the cells of a suite, then report");
  add_suite_options(*verb, arguments->suite);
  verb->add_option(
      "-j,--jobs", arguments->jobs,
      "cells that are computed at once, each in a process of its own; no number depends on it; default: as "
      "many as processors and memory allow, one on a GPU");
  verb->add_option("--budget", *budget, "start no new cell after this time, e.g. 90s, 30m, 6h");
  verb->add_option(
          "--checkpoint-minutes", arguments->checkpoint_minutes,
          "minutes between two checkpoints within an epoch; 0: after every step; one is written at each epoch's end")
      ->check(between(0, 1e6))
      ->capture_default_str();
  verb->add_flag("--fail-fast", arguments->fail_fast, "stop at the first cell that fails");
  verb->add_flag("-q,--quiet", arguments->quiet, "no progress, only warnings and the tables");
  verb->callback([arguments, budget, &outcome] {
    arguments->budget_seconds = parse_duration(*budget, "--budget");
    outcome = run(*arguments);
  });
}

}  // namespace auxbench
