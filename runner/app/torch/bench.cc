#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/files/file.h"
#include "base/output.h"
#include "base/text.h"
#include "reports/kernel_plot.h"
#include "reports/kernel_table.h"
#include "runner/app/torch/verbs.h"
#include "runner/bench/kernel_bench.h"

namespace auxbench {
namespace {

std::string command_of(const KernelBenchArguments& options) {
  const char* cap = std::getenv("AUXBENCH_ISA");
  const std::string capped = cap == nullptr || *cap == '\0' ? "" : "AUXBENCH_ISA=" + shell_word(cap) + " ";
  const auto file = options.suite.string();
  std::string command = capped + "auxbench bench " + shell_word((file.starts_with('-') ? "./" : "") + file);
  for (const auto& glob : options.only) command += " --only " + shell_word(glob);
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

}  // namespace

ExitCode bench(const KernelBenchArguments& arguments) {
  const auto result = bench_kernels({.suite = arguments.suite,
                                     .only = arguments.only,
                                     .repetitions = arguments.repetitions,
                                     .threads = arguments.threads,
                                     .onednn3 = arguments.onednn3,
                                     .quick = arguments.quick,
                                     .command = command_of(arguments),
                                     .progress = [](const std::string& line) { warn_line("%s", line.c_str()); }});
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
  print_lines(table + "\n");
  print_line("Written to %s: kernels.json, google-benchmark.json, kernels.md, kernels.svg", out.string().c_str());
  return result.outcome;
}

}  // namespace auxbench
