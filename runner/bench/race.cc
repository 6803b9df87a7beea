#include "runner/bench/race.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <thread>

#include "base/check.h"
#include "base/quantile.h"
#include "base/stopwatch.h"

namespace auxbench::bench {
namespace {

void wait(double seconds) {
  if (seconds > 0) std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

// Keeps what is reported, for one document in the end.
class Keeper final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& context) override {
    std::ostringstream text;
    benchmark::JSONReporter json;
    json.SetOutputStream(&text);
    json.SetErrorStream(&text);
    json.ReportContext(context);
    json.Finalize();
    context_ = nlohmann::json::parse(text.str()).at("context");
    return true;
  }
  void ReportRuns(const std::vector<Run>& report) override { runs_.insert(runs_.end(), report.begin(), report.end()); }

  [[nodiscard]] const std::vector<Run>& runs() const { return runs_; }
  [[nodiscard]] const nlohmann::json& context() const { return context_; }

 private:
  std::vector<Run> runs_;
  nlohmann::json context_;
};

nlohmann::json as_json(std::vector<benchmark::BenchmarkReporter::Run> runs) {
  std::ostringstream text;
  benchmark::JSONReporter json;
  json.SetOutputStream(&text);
  json.SetErrorStream(&text);
  json.ReportContext({});
  json.ReportRuns(runs);
  json.Finalize();
  return nlohmann::json::parse(text.str()).at("benchmarks");
}

// Google Benchmark before 1.8 calls it an error, from then on a skip with an error.
template <typename Run>
bool has_failed(const Run& run) {
  if constexpr (requires { run.error_occurred; })
    return run.error_occurred;
  else
    return static_cast<int>(run.skipped) != 0;
}

// Passes that fill the time, from one that warms up and one that is timed.
int64_t count_passes(const Contestant& contestant, double seconds) {
  constexpr int64_t kLeast = 2, kMost = 100000;
  contestant.pass();
  const double taken = std::max(contestant.pass(), 1e-8);
  return std::clamp(static_cast<int64_t>(seconds / taken) + 1, kLeast, kMost);
}

}  // namespace

std::function<double()> timed(std::function<void()> work) {
  return [work = std::move(work)] {
    const Stopwatch watch;
    work();
    return watch.seconds();
  };
}

Races::Races(const RaceOptions& options) : options_(options) {
  // The library keeps the pointer to its program's name.
  static std::string arguments[] = {"auxbench", "--benchmark_enable_random_interleaving=true"};
  char* pointers[] = {arguments[0].data(), arguments[1].data(), nullptr};
  int count = 2;
  benchmark::Initialize(&count, pointers);
}

std::vector<std::vector<double>> Races::run(const std::string& race, const std::vector<Contestant>& contestants,
                                            double pause) {
  std::vector<std::vector<double>> seconds(contestants.size());
  benchmark::ClearRegisteredBenchmarks();
  for (size_t i = 0; i < contestants.size(); ++i) {
    const auto& contestant = contestants[i];
    wait(pause);
    const auto passes = count_passes(contestant, options_.seconds);
    benchmark::RegisterBenchmark((race + "/" + contestant.name).c_str(),
                                 [&contestant, &own = seconds[i], pause, passes](benchmark::State& state) {
                                   wait(pause);
                                   contestant.pass();  // finds its way back into the caches
                                   std::vector<double> times;
                                   times.reserve(static_cast<size_t>(passes));
                                   for (auto _ : state) {
                                     times.push_back(contestant.pass());
                                     state.SetIterationTime(times.back());
                                   }
                                   own.push_back(quantile(std::move(times), 0.5));
                                   state.counters["median_s"] = own.back();
                                 })
        ->UseManualTime()
        ->Iterations(passes)
        ->Repetitions(1)
        ->Unit(benchmark::kMicrosecond);
  }
  for (int repetition = 0; repetition < options_.repetitions; ++repetition) {
    Keeper keeper;
    benchmark::RunSpecifiedBenchmarks(&keeper);
    auto runs = keeper.runs();
    for (auto& run : runs) {
      AUXBENCH_CHECK(!has_failed(run), "a contestant that runs");
      run.repetitions = options_.repetitions;
      run.repetition_index = repetition;
    }
    auto entries = as_json(std::move(runs));
    for (auto& entry : entries) benchmarks_.push_back(std::move(entry));
    if (context_.is_null()) context_ = keeper.context();
  }
  benchmark::ClearRegisteredBenchmarks();
  for (const auto& own : seconds)
    AUXBENCH_CHECK(std::ssize(own) == options_.repetitions, "each contestant once in each repetition");
  return seconds;
}

nlohmann::json Races::google_benchmark() const {
  auto context = context_;
  if (context.is_object()) {
    context.erase("host_name");
    context.erase("executable");
  }
  return {{"context", context}, {"benchmarks", benchmarks_}};
}

}  // namespace auxbench::bench
