// auxbench bench: kernels of a suite against vendors' libraries, in one process, contestants in turn.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/files/file.h"
#include "reports/kernel_plot.h"
#include "reports/kernel_table.h"
#include "runner/app/app.h"
#include "runner/bench/kernel_bench.h"

namespace auxbench {
namespace {

struct BenchArguments {
  KernelBenchOptions options;
  std::filesystem::path json, out;
};

std::string command_of(const BenchArguments& arguments) {
  const auto& options = arguments.options;
  const char* cap = std::getenv("AUXBENCH_ISA");
  const std::string capped = cap == nullptr || *cap == '\0' ? "" : "AUXBENCH_ISA=" + std::string(cap) + " ";
  std::string command = capped + "auxbench bench " + options.suite.string();
  for (const auto& glob : options.only) command += " --only '" + glob + "'";
  if (options.repetitions) command += " --repetitions " + std::to_string(*options.repetitions);
  if (options.threads) command += " --threads " + std::to_string(*options.threads);
  if (options.quick) command += " --quick";
  return command;
}

std::string compact(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// A line for each member, and for each entry of a list.
std::string text_of(const nlohmann::json& object) {
  std::string text;
  for (const auto& [key, value] : object.items()) {
    text += (text.empty() ? "{" : ",\n") + compact(key) + ": ";
    if (!value.is_array() || value.empty()) {
      text += compact(value);
      continue;
    }
    std::string list;
    for (const auto& entry : value) list += (list.empty() ? "[\n" : ",\n") + compact(entry);
    text += list + "]";
  }
  return text + "}\n";
}

ExitCode bench(BenchArguments arguments) {
  auto& options = arguments.options;
  options.command = command_of(arguments);
  options.progress = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  const auto result = bench_kernels(options);
  const auto out = arguments.out.empty()
                       ? std::filesystem::path("auxbench-results") / result.record.at("suite").get<std::string>()
                       : arguments.out;
  const auto table = render_kernel_tables(result.record);
  make_folder(out);
  write_file_atomically(out / "kernels.json", text_of(result.record));
  write_file_atomically(out / "google-benchmark.json", text_of(result.google));
  write_file_atomically(out / "kernels.md", table);
  write_file_atomically(out / "kernels.svg", render_kernel_plot(result.record));
  if (!arguments.json.empty()) write_file_atomically(arguments.json, text_of(result.record));
  std::printf("%s\nWritten to %s: kernels.json, google-benchmark.json, kernels.md, kernels.svg\n", table.c_str(),
              out.string().c_str());
  return result.outcome;
}

}  // namespace

void add_bench(CLI::App& app, Outcome& outcome) {
  auto arguments = std::make_shared<BenchArguments>();
  auto& options = arguments->options;
  if (const char* library = std::getenv("AUXBENCH_ONEDNN3"); library != nullptr) options.onednn3 = library;
  auto* verb = app.add_subcommand("bench", "low-bit kernels and whole networks against vendors' libraries");
  verb->add_option("suite", options.suite, "suite of kernels, e.g. suites/kernels.json")->required();
  verb->add_option("--only", options.only, "rows or tables whose name matches this glob (repeatable)")
      ->allow_extra_args(false);
  verb->add_option("--repetitions", options.repetitions, "of every contestant; default: the suite's")
      ->check(CLI::Range(1, 1000));
  verb->add_option("--threads", options.threads, "instead of the suite's")->check(CLI::Range(1, 1024));
  verb->add_option("--onednn3", options.onednn3,
                   "libdnnl.so.3, as scripts/onednn prints; also $AUXBENCH_ONEDNN3. Absent: not compared with")
      ->capture_default_str();
  verb->add_option("--json", arguments->json, "write the record here, too");
  verb->add_option("--out", arguments->out, "results folder; default: auxbench-results/SUITE");
  verb->add_flag("--quick", options.quick, "the suite's tables quick and quick-network, for an instant each")
      ->excludes("--only");
  verb->callback([arguments, &outcome] { outcome = bench(*arguments); });
}

}  // namespace auxbench
