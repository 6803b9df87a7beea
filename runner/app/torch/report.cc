#include <cstdio>

#include "base/files/file.h"
#include "runner/app/torch/suite.h"
#include "runner/app/torch/verbs.h"
#include "runner/sweep/suite_runner.h"

namespace auxbench {

ExitCode report(const SuiteArguments& arguments) {
  const auto opened = open_suite(arguments, "report");
  if (!std::filesystem::is_directory(opened.out))
    throw UserError(ExitCode::data_missing, opened.out.string() + ": no such results folder");
  const auto stored = read_records(opened.out);
  for (const auto& warning : stored.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  const auto input = report_input(opened.suite, opened.context, stored.by_id, opened.context.rerun);
  write_file_atomically(opened.out / "report.md", render_markdown(input));
  std::fputs(render_console(input).c_str(), stdout);
  std::fprintf(stderr, "report: %s\n", (opened.out / "report.md").c_str());
  return ExitCode::ok;
}

}  // namespace auxbench
