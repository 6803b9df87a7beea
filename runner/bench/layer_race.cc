#include "runner/bench/layer_race.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "base/check.h"
#include "base/error.h"
#include "base/quantile.h"
#include "deploy/share.h"
#include "runner/bench/figures.h"
#include "runner/bench/own_layer.h"
#include "runner/bench/peaks/peaks.h"
#include "runner/bench/team.h"

namespace auxbench::bench {
namespace {

using nlohmann::json;

constexpr uint64_t kSeed = 20260101;

// The loop of instructions that bounds a kernel, and how many of its products one of the layer's takes.
struct Limit {
  const char* peak;
  int products;
};

Limit limit_of(const std::string& kernel, const KernelRow& row) {
  if (kernel.find("amx") != std::string::npos) return {"int8-tile", 1};
  if (kernel.find("vnni") != std::string::npos) return {"int8-dot", 1};
  if (kernel == "bit-serial") return {"binary-popcount", row.weight_bits * row.activation_bits};
  if (kernel == "lookup") return {"byte-lookup", row.weight_bits};
  return {"int16-pairs", 1};
}

// A loop of instructions on every thread.
struct Peak {
  const peaks::Loop* loop;
  int threads;
  int64_t turns = 1;

  Peak(const peaks::Loop& which, int count) : loop(&which), threads(count) {
    constexpr double kSeconds = 3e-4;
    constexpr int64_t kTrial = 2000;
    loop->run(kTrial);
    const double taken = timed([this] { loop->run(kTrial); })();
    turns = std::max<int64_t>(1, static_cast<int64_t>(kTrial * kSeconds / std::max(taken, 1e-9)));
  }
  void run() const {
    share(threads, threads, [this](int64_t, int64_t, int) { loop->run(turns); });
  }
  [[nodiscard]] double rate(double seconds) const {
    return static_cast<double>(loop->macs * turns) * threads / seconds;
  }
};

class LayerRace {
 public:
  LayerRace(const KernelRace& spec, const Surroundings& surroundings)
      : spec_(spec),
        surroundings_(surroundings),
        team_(processors_for(spec.threads)),
        cold_bytes_(spec.cold ? surroundings.cold_bytes : 0) {}

  RaceRecord run(Races& races) {
    const Bound bound(team_.processors().front());
    add_ours();
    if (ours_.empty()) {
      record_.race = about();
      record_.race["status"] = "skipped";
      record_.race["reason"] = "none of our rows can be timed";
      return std::move(record_);
    }
    add_opponents();
    add_peaks();
    const auto seconds = races.run(spec_.name, contestants_, pause_after(spec_.threads));
    for (size_t i = 0; i < seconds.size(); ++i) seconds_[contestants_[i].name] = seconds[i];
    record();
    return std::move(record_);
  }

 private:
  // One run before the clock starts: a library that makes threads on first use has made them by then.
  void contend(const std::string& name, std::function<void()> work) {
    work();
    team_.bind_new();
    contestants_.push_back({name, timed(std::move(work))});
  }

  void add_ours() {
    std::map<std::pair<int, int>, std::shared_ptr<const OwnData>> data;
    for (const auto& row : spec_.rows) {
      auto entry = entry_of(spec_, row);
      if (!row.kernel.empty()) entry["asked_for"] = row.kernel;
      try {
        auto& codes = data[{row.weight_bits, row.activation_bits}];
        if (codes == nullptr) {
          const auto problem = problem_of(*spec_.layer, row.weight_bits, row.activation_bits);
          if (const auto reason = lowbit_conv::why_not(problem); !reason.empty())
            throw UserError(ExitCode::usage, "convolution: " + reason);
          codes = std::make_shared<const OwnData>(problem, kSeed);
        }
        add_own(row, codes, entry);
      } catch (const UserError& error) {
        entry["status"] = "skipped";
        entry["reason"] = error.what();
      }
      record_.rows.push_back(std::move(entry));
    }
  }

  // A kernel that was asked for by name and is the plan's choice is timed once, for both rows.
  void add_own(const KernelRow& row, const std::shared_ptr<const OwnData>& data, json& entry) {
    auto made = std::make_shared<OwnLayer>(data, row.kernel, spec_.threads, cold_bytes_);
    const auto& plan = made->plan();
    entry["kernel"] = plan.kernel();
    entry["kernel_reason"] = plan.reason();
    const auto name =
        "w" + std::to_string(row.weight_bits) + "a" + std::to_string(row.activation_bits) + "/" + plan.kernel();
    if (!ours_.contains(name)) {
      const auto wrong = made->check();
      team_.bind_new();
      if (!wrong.empty()) {
        entry["status"] = "failed";
        entry["reason"] = wrong;
        return;
      }
      ours_[name] = made;
      contend(name, [made] { made->run(); });
    }
    entry["status"] = "completed";
    entry["contestant"] = name;
    entry["bytes"] = made->compulsory_bytes();
  }

  void add_opponents() {
    const auto& own = *spec_.layer;
    const opponents::ConvShape shape = {.h = own.h,
                                        .w = own.w,
                                        .c = own.c,
                                        .out = own.out,
                                        .r = own.r,
                                        .s = own.r,
                                        .stride = own.stride,
                                        .pad = own.pad};
    const auto layer = opponents::random_layer(shape, kSeed);
    const opponents::Conditions conditions = {
        .threads = spec_.threads, .processors = team_.processors(), .cold_bytes = cold_bytes_};
    for (const auto& name : spec_.against) {
      auto made = make_opponent(name, surroundings_, layer, conditions);
      auto& entry = opponents_[name];
      if (made.opponent == nullptr) {
        entry = {{"status", "skipped"}, {"reason", made.reason}};
        continue;
      }
      entry = {{"status", "completed"},
               {"library", made.opponent->library()},
               {"implementation", made.opponent->implementation()}};
      const std::shared_ptr<opponents::Opponent> kept = std::move(made.opponent);
      contend(name, [kept] { kept->run(); });
    }
  }

  void add_peaks() {
    std::vector<std::string> names = {"fp32-fma"};
    for (size_t i = 0; i < spec_.rows.size(); ++i)
      if (record_.rows[i].contains("contestant"))
        names.emplace_back(limit_of(record_.rows[i].at("kernel"), spec_.rows[i]).peak);
    for (const auto& name : names) {
      const auto* loop = peaks::find_loop(name, this_isa());
      if (loop == nullptr || peaks_.contains(name)) continue;
      const auto peak = peaks_.try_emplace(name, *loop, spec_.threads).first->second;
      contend("peak/" + name, [peak] { peak.run(); });
    }
    if (!spec_.cold) return;
    auto memory = std::make_shared<lowbit_conv::Buffer>(static_cast<size_t>(cold_bytes_));
    contend("peak/read", [memory, threads = spec_.threads] {
      constexpr int64_t kPiece = 1 << 16;
      const auto bytes = static_cast<int64_t>(memory->size());
      share(threads, bytes / kPiece, [&](int64_t first, int64_t last, int) {
        peaks::read_all({memory->data() + first * kPiece, static_cast<size_t>((last - first) * kPiece)}, this_isa());
      });
    });
  }

  [[nodiscard]] json about() const {
    const auto& layer = *spec_.layer;
    return {{"race", spec_.name},
            {"kind", "layer"},
            {"layer",
             {{"name", layer.name},
              {"h", layer.h},
              {"w", layer.w},
              {"c", layer.c},
              {"out", layer.out},
              {"r", layer.r},
              {"stride", layer.stride},
              {"pad", layer.pad}}},
            {"threads", spec_.threads},
            {"weights", spec_.cold ? "cold" : "hot"}};
  }

  void record() {
    std::vector<Times> opponents;
    auto against = json::object();
    for (auto& [name, entry] : opponents_) {
      const auto found = seconds_.find(name);
      if (found != seconds_.end()) {
        opponents.push_back({name, found->second});
        add_speed(entry, found->second, macs());
      }
      against[name] = entry;
    }
    record_.race = about();
    record_.race["status"] = "completed";
    record_.race["opponents"] = against;
    record_.race["peaks"] = peak_figures();
    for (size_t i = 0; i < spec_.rows.size(); ++i) {
      auto& row = record_.rows[i];
      if (row.contains("contestant")) record_row(spec_.rows[i], opponents, row);
    }
  }

  [[nodiscard]] int64_t macs() const { return problem_of(*spec_.layer, 8, 8).macs(); }

  [[nodiscard]] json peak_figures() const {
    auto found = json::object();
    for (const auto& [name, peak] : peaks_) {
      const double median = quantile(seconds_.at("peak/" + name), 0.5);
      found[name] = {{"mix", peak.loop->mix}, {"mac_per_s", four_digits(peak.rate(median))}};
    }
    if (const auto read = seconds_.find("peak/read"); read != seconds_.end())
      found["read"] = {{"bytes_per_s", four_digits(static_cast<double>(cold_bytes_) / quantile(read->second, 0.5))}};
    return found;
  }

  void record_row(const KernelRow& spec, const std::vector<Times>& opponents, json& row) const {
    const auto& seconds = seconds_.at(row.at("contestant"));
    row.erase("contestant");
    add_speed(row, seconds, macs());
    row["bytes_per_s"] = four_digits(row.at("bytes").get<double>() / quantile(seconds, 0.5));
    row["ratios"] = ratios_over(opponents, seconds);
    row["over"] = over_fastest(opponents, seconds);
    const auto limit = limit_of(row.at("kernel"), spec);
    const auto peak = peaks_.find(limit.peak);
    if (peak == peaks_.end()) return;
    const auto& theirs = seconds_.at(std::string("peak/") + limit.peak);
    std::vector<double> percent;
    for (size_t i = 0; i < seconds.size(); ++i)
      percent.push_back(100 * static_cast<double>(macs() * limit.products) / seconds[i] / peak->second.rate(theirs[i]));
    row["peak"] = {{"name", limit.peak}, {"products_per_mac", limit.products}, {"percent", spread(percent)}};
  }

  const KernelRace& spec_;
  const Surroundings& surroundings_;
  Team team_;
  int64_t cold_bytes_;
  RaceRecord record_;
  std::vector<Contestant> contestants_;
  std::map<std::string, std::shared_ptr<OwnLayer>> ours_;
  std::map<std::string, json> opponents_;
  std::map<std::string, Peak> peaks_;
  std::map<std::string, std::vector<double>> seconds_;
};

}  // namespace

double pause_after(int threads) {
  constexpr double kBusyWaiting = 0.012;
  return threads > 1 ? kBusyWaiting : 0;
}

opponents::Made make_opponent(const std::string& name, const Surroundings& surroundings, const opponents::Layer& layer,
                              const opponents::Conditions& conditions) {
  using opponents::Arithmetic;
  const auto dash = name.find('-');
  AUXBENCH_CHECK(dash != std::string::npos, "LIBRARY-ARITHMETIC");
  const auto library = name.substr(0, dash), word = name.substr(dash + 1);
  const auto arithmetic = word == "fp32" ? Arithmetic::fp32 : word == "bf16" ? Arithmetic::bf16 : Arithmetic::int8;
  if (library == "libtorch") {
    if (surroundings.libtorch) return surroundings.libtorch(layer, arithmetic, conditions);
    return {nullptr, "not asked for"};
  }
  return opponents::make_onednn(library == "onednn2" ? surroundings.onednn2 : surroundings.onednn3, layer, arithmetic,
                                conditions);
}

json entry_of(const KernelRace& race, const KernelRow& row) {
  return {{"row", row.name},
          {"race", race.name},
          {"weight_bits", row.weight_bits},
          {"activation_bits", row.activation_bits}};
}

RaceRecord run_layer_race(const KernelRace& spec, const Surroundings& surroundings, Races& races) {
  return LayerRace(spec, surroundings).run(races);
}

}  // namespace auxbench::bench
