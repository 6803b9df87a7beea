#include "runner/bench/kernel_bench.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <thread>

#include "base/interrupt.h"
#include "base/stopwatch.h"
#include "kernels/lowbit_conv/lowbit_conv.h"
#include "runner/bench/figures.h"
#include "runner/bench/layer_race.h"
#include "runner/bench/network_race.h"
#include "runner/bench/peaks/peaks.h"
#include "runner/bench/team.h"
#include "runner/bench/torch_conv.h"
#include "runner/training/provenance.h"

namespace auxbench {
namespace {

using nlohmann::json;

// Of the first processor, as the system tells it: 0 where it does not.
int64_t cache_bytes(int level) {
  for (int index = 0; index < 8; ++index) {
    const auto folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    const auto line = [&](const char* name) {
      std::ifstream file(folder + name);
      std::string text;
      std::getline(file, text);
      return text;
    };
    if (line("level") != std::to_string(level) || line("type") == "Instruction") continue;
    return std::atoll(line("size").c_str()) * (line("size").ends_with("M") ? int64_t{1} << 20 : int64_t{1} << 10);
  }
  return 0;
}

json describe_machine() {
  const auto made = collect_provenance();
  const char* cap = std::getenv("AUXBENCH_ISA");
  json machine = {{"cpu", made.cpu},
                  {"processors", std::thread::hardware_concurrency()},
                  {"isa", this_isa().name()},
                  {"isa_cap", cap == nullptr ? "" : cap},
                  {"isa_note", this_isa().note},
                  {"os", made.os},
                  {"compiler", made.compiler},
                  {"version", made.version},
                  {"commit", made.commit},
                  {"dirty", made.dirty},
                  {"torch", made.torch},
                  {"l2_bytes", cache_bytes(2)},
                  {"l3_bytes", cache_bytes(3)}};
  if (const double clock = peaks::clock_hz(); clock > 0) machine["clock_ghz"] = bench::four_digits(clock * 1e-9);
  return machine;
}

json describe_tables(const KernelSuite& suite) {
  auto tables = json::array();
  for (const auto& table : suite.tables)
    tables.push_back(
        {{"id", table.id}, {"title", table.title}, {"note", table.note}, {"plot", table.plot}, {"rows", table.rows}});
  return tables;
}

// A cap on our instruction sets is one on the opponents', too, unless whoever runs this has said otherwise. oneDNN,
// also the one inside LibTorch, reads its variable when it is first used.
void cap_opponents() {
  const char* cap = std::getenv("AUXBENCH_ISA");
  const std::map<std::string, const char*> theirs = {
      {"generic", "SSE41"}, {"avx2", "AVX2"}, {"avx512", "AVX512_CORE_BF16"}};
  const auto found = theirs.find(cap == nullptr ? "" : cap);
  if (found == theirs.end()) return;
  for (const char* variable : {"DNNL_MAX_CPU_ISA", "ONEDNN_MAX_CPU_ISA"}) setenv(variable, found->second, 0);
}

// What this machine cannot run is skipped with its rows.
bench::RaceRecord run_race(const KernelRace& race, const bench::Surroundings& surroundings, bench::Races& races) {
  try {
    return race.layer ? bench::run_layer_race(race, surroundings, races) : run_network_race(race, surroundings, races);
  } catch (const UserError& error) {
    bench::RaceRecord record;
    record.race = {{"race", race.name}, {"status", "skipped"}, {"reason", error.what()}};
    for (const auto& row : race.rows) {
      auto entry = bench::entry_of(race, row);
      entry["status"] = "skipped";
      entry["reason"] = error.what();
      record.rows.push_back(std::move(entry));
    }
    return record;
  }
}

KernelSuite open_suite(const KernelBenchOptions& options) {
  KernelSuiteRequest request = {
      .kernels = lowbit_conv::kernel_names(), .only = options.only, .threads = options.threads};
  if (options.quick) request.only = {"quick", "quick-network"};
  auto suite = load_kernel_suite(options.suite, request);
  if (options.quick) {
    suite.repetitions = 2;
    suite.seconds = 0.001;
  }
  suite.repetitions = options.repetitions.value_or(suite.repetitions);
  return suite;
}

ExitCode outcome_of(const json& rows) {
  const auto count = [&](const char* status) {
    return std::count_if(rows.begin(), rows.end(), [&](const json& row) { return row.at("status") == status; });
  };
  if (count("failed") > 0) return ExitCode::cells_failed;
  return count("completed") > 0 ? ExitCode::ok : ExitCode::nothing_ran;
}

}  // namespace

KernelBenchResult bench_kernels(const KernelBenchOptions& options) {
  const auto suite = open_suite(options);
  cap_opponents();
  const bench::Surroundings surroundings = {
      .onednn3 = options.onednn3, .libtorch = make_torch_conv, .cold_bytes = suite.cold_mib << 20};
  bench::Races races({.repetitions = suite.repetitions, .seconds = suite.seconds});
  KernelBenchResult result;
  auto& record = result.record;
  auto races_done = json::array(), rows = json::array();
  record = {{"kind", "kernels"},
            {"schema_version", 1},
            {"suite", suite.name},
            {"title", suite.title},
            {"command", options.command},
            {"repetitions", suite.repetitions},
            {"seconds", suite.seconds},
            {"cold_bytes", surroundings.cold_bytes},
            {"machine", describe_machine()},
            {"started", utc_now()}};
  watch_signals();
  for (size_t i = 0; i < suite.races.size() && signal_received() == 0; ++i) {
    const Stopwatch watch;
    auto done = run_race(suite.races[i], surroundings, races);
    char line[256];
    std::snprintf(line, sizeof line, "[%zu/%zu] %s: %s, %.1f s", i + 1, suite.races.size(), suite.races[i].name.c_str(),
                  done.race.at("status").get_ref<const std::string&>().c_str(), watch.seconds());
    options.progress(line);
    races_done.push_back(std::move(done.race));
    for (auto& row : done.rows) rows.push_back(std::move(row));
    std::this_thread::sleep_for(std::chrono::duration<double>(bench::pause_after(suite.races[i].threads)));
  }
  record["finished"] = utc_now();
  record["tables"] = describe_tables(suite);
  result.outcome = signal_received() == SIGTERM ? ExitCode::terminated
                   : signal_received() != 0     ? ExitCode::interrupted
                                                : outcome_of(rows);
  record["races"] = std::move(races_done);
  record["rows"] = std::move(rows);
  result.google = races.google_benchmark();
  return result;
}

}  // namespace auxbench
