// A suite of kernels, timed: races one after the other, one record of everything.
//
//   record  "kind": "kernels": machine, races (opponents, peaks), rows (ours), tables. reports/kernel_table.h and
//           reports/kernel_plot.h read it.
//   google  the same times as Google Benchmark writes them
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace auxbench {

struct KernelBenchOptions {
  std::filesystem::path suite;
  std::vector<std::string> only;  // globs over names of rows and tables
  std::optional<int> repetitions, threads;
  std::string onednn3 = "libdnnl.so.3";  // path, or name for the dynamic linker
  bool quick = false;                    // the suite's tables quick and quick-network, for an instant each
  std::string command;                   // that does it again
  std::function<void(const std::string&)> progress = [](const std::string& /*line*/) {};
};

struct KernelBenchResult {
  nlohmann::json record, google;
  // ok; cells_failed: a kernel computed something else than it should; nothing_ran: no row could be timed; interrupted,
  // terminated: the record holds what was done before.
  ExitCode outcome = ExitCode::ok;
};

KernelBenchResult bench_kernels(const KernelBenchOptions& options);

}  // namespace auxbench
