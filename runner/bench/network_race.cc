#include "runner/bench/network_race.h"

#include <torch/version.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/random.h"
#include "base/torch_prelude.h"
#include "datasets/sources/boxed_image.h"
#include "deploy/executor.h"
#include "deploy/synthetic.h"
#include "models/detector.h"
#include "models/list/models.h"
#include "models/network.h"
#include "runner/bench/box_work.h"
#include "runner/bench/figures.h"
#include "runner/bench/team.h"

namespace auxbench {
namespace {

using nlohmann::json;
using opponents::ConvShape;

constexpr uint64_t kSeed = 20260101;
constexpr int64_t kClasses = 1000;

bool is_detector(const std::string& network) { return find_model(network)->task == "detection"; }

// Of a detector's images: three to five, as 800 x 1333 is.
Extent unpadded_image(const KernelRace& race) {
  constexpr int64_t kShort = 800, kLong = 1333;
  return {.height = race.image, .width = race.image * kLong / kShort};
}

// Of the images that the network is given: square, or a detector's, padded.
ValueSize image_of(const KernelRace& race) {
  if (!is_detector(race.network)) return {race.image, race.image};
  const auto image = unpadded_image(race);
  return {padded_side(image.height), padded_side(image.width)};
}

IntegerNetwork synthetic_network(const KernelRace& race, const KernelRow& row) {
  if (!is_detector(race.network))
    return synthetic_resnet(race.network, row.weight_bits, row.activation_bits, race.image);
  const auto image = image_of(race);
  return synthetic_retinanet({.backbone = race.network.substr(race.network.find('-') + 1),
                              .weight_bits = row.weight_bits,
                              .activation_bits = row.activation_bits,
                              .height = image.h,
                              .width = image.w});
}

// An integer network and what runs it.
struct OwnNetwork {
  IntegerNetwork network;
  Executor executor;

  OwnNetwork(const KernelRace& race, const KernelRow& row)
      : network(synthetic_network(race, row)), executor(network, {.batch = 1, .threads = race.threads}) {}
};

// The same network of torch's modules, in the layout that is faster here.
class FloatNetwork {
 public:
  FloatNetwork(const KernelRace& race, const std::vector<float>& image) : threads_(race.threads) {
    const at::NoGradGuard no_gradients;
    at::manual_seed(kSeed);
    network_ = is_detector(race.network) ? make_detector({.backbone = {.model = race.network}})
                                         : make_network({.model = race.network, .classes = kClasses});
    network_->module().eval();
    const auto size = image_of(race);
    x_ = at::empty({1, 3, size.h, size.w});
    std::copy(image.begin(), image.end(), x_.data_ptr<float>());
    const double plain = time();
    lay_out(at::MemoryFormat::ChannelsLast);
    channels_last_ = time() <= plain;
    if (!channels_last_) lay_out(at::MemoryFormat::Contiguous);
  }

  void run() {
    const c10::InferenceMode no_gradients;
    if (at::get_num_threads() != threads_) at::set_num_threads(threads_);
    y_ = network_->forward(x_);
  }
  [[nodiscard]] std::string implementation() const {
    return std::string("modules, evaluation, ") + (channels_last_ ? "channels last" : "plain layout");
  }

 private:
  double time() {
    constexpr int kTries = 3;
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < kTries; ++i) best = std::min(best, bench::timed([this] { run(); })());
    return best;
  }
  void lay_out(at::MemoryFormat format) {
    x_ = x_.contiguous(format);
    for (auto& parameter : network_->module().parameters())
      if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(format));
  }

  int threads_;
  std::unique_ptr<Network> network_;
  at::Tensor x_;
  NetworkOutput y_;
  bool channels_last_ = false;
};

// Distinct convolutions of a network with how often each stands in it.
std::vector<std::pair<ConvShape, int>> convolutions_of(const IntegerNetwork& network) {
  const auto sizes = value_sizes(network);
  std::vector<std::pair<ConvShape, int>> found;
  for (const auto& step : network.steps) {
    if (step.kind != IntegerStep::Kind::convolution && step.kind != IntegerStep::Kind::float_convolution) continue;
    const auto input = step.inputs.front();
    const ConvShape shape = {.h = sizes[input].h,
                             .w = sizes[input].w,
                             .c = network.values[input].channels,
                             .out = step.out,
                             .r = step.r,
                             .s = step.s,
                             .stride = step.stride,
                             .pad = step.pad};
    const auto known = std::find_if(found.begin(), found.end(), [&](const auto& each) { return each.first == shape; });
    if (known == found.end())
      found.emplace_back(shape, 1);
    else
      ++known->second;
  }
  return found;
}

// Each distinct convolution by the library that is fastest at it in this arithmetic.
class VendorSum {
 public:
  VendorSum(const IntegerNetwork& network, const std::string& arithmetic, const bench::Surroundings& surroundings,
            bench::Team& team) {
    for (const auto& [shape, count] : convolutions_of(network)) {
      const auto layer = opponents::random_layer(shape, kSeed);
      Part best = {.count = count};
      double best_seconds = std::numeric_limits<double>::infinity();
      for (const char* library : {"onednn2-", "onednn3-", "libtorch-"}) {
        auto made = bench::make_opponent(library + arithmetic, surroundings, layer,
                                         {.threads = team.threads(), .processors = team.processors()});
        if (made.opponent == nullptr) {
          reason_ = made.reason;
          continue;
        }
        made.opponent->run();
        team.bind_new();
        double seconds = std::numeric_limits<double>::infinity();
        for (int i = 0; i < kTries; ++i) seconds = std::min(seconds, time_hot(*made.opponent));
        if (seconds >= best_seconds) continue;
        best_seconds = seconds;
        best.opponent = std::move(made.opponent);
      }
      if (best.opponent == nullptr) {
        parts_.clear();
        return;
      }
      parts_.push_back(std::move(best));
    }
  }

  [[nodiscard]] bool complete() const { return !parts_.empty(); }
  [[nodiscard]] const std::string& reason() const { return reason_; }

  double pass() {
    double sum = 0;
    for (auto& part : parts_) sum += part.count * time_hot(*part.opponent);
    return sum;
  }

  // How many convolutions each library computes.
  [[nodiscard]] std::map<std::string, int> convolutions() const {
    std::map<std::string, int> counts;
    for (const auto& part : parts_) counts[part.opponent->library()] += part.count;
    return counts;
  }

 private:
  struct Part {
    int count = 0;
    std::unique_ptr<opponents::Opponent> opponent{};
  };

  static constexpr int kTries = 3;

  static double time_hot(opponents::Opponent& opponent) {
    opponent.run();
    return bench::timed([&] { opponent.run(); })();
  }

  std::vector<Part> parts_;
  std::string reason_;
};

class NetworkRace {
 public:
  NetworkRace(const KernelRace& spec, const bench::Surroundings& surroundings)
      : spec_(spec), surroundings_(surroundings), team_(bench::processors_for(spec.threads)) {
    RandomStream random(kSeed);
    const auto size = image_of(spec);
    image_.resize(static_cast<size_t>(3 * size.h * size.w));
    for (auto& value : image_) value = static_cast<float>(random.uniform() * 4 - 2);
  }

  bench::RaceRecord run(bench::Races& races) {
    const bench::Bound bound(team_.processors().front());
    for (const auto& row : spec_.rows) add_own(row);
    record_.race = {{"race", spec_.name},       {"kind", "network"}, {"network", spec_.network}, {"image", spec_.image},
                    {"threads", spec_.threads}, {"weights", "hot"},  {"status", "completed"}};
    if (ours_.empty()) {
      record_.race["status"] = "skipped";
      record_.race["reason"] = "none of our rows can be timed";
      return std::move(record_);
    }
    if (is_detector(spec_.network)) add_boxes();
    add_float();
    for (const char* arithmetic : {"fp32", "int8"}) add_vendor(arithmetic);
    const auto seconds = races.run(spec_.name, contestants_, bench::pause_after(spec_.threads));
    record(seconds);
    return std::move(record_);
  }

 private:
  void contend(const std::string& name, std::function<double()> pass) {
    pass();
    team_.bind_new();
    contestants_.push_back({name, std::move(pass)});
  }

  void add_own(const KernelRow& row) {
    auto entry = bench::entry_of(spec_, row);
    try {
      auto made = std::make_shared<OwnNetwork>(spec_, row);
      const auto said = made->executor.run(image_);
      const bool finite = std::all_of(said.begin(), said.end(), [](float each) { return std::isfinite(each); });
      const bool flat = std::all_of(said.begin(), said.end(), [&](float each) { return each == said.front(); });
      entry["status"] = finite && !flat ? "completed" : "failed";
      if (!finite || flat) entry["reason"] = finite ? "all outputs are the same" : "outputs that are no numbers";
      if (finite && !flat) {
        entry["kernels"] = made->executor.plans();
        entry["bytes"] = made->network.bytes();
        macs_ = made->network.macs();
        ours_.push_back(made);
        contend(row.name, bench::timed([this, made] { made->executor.run(image_); }));
      }
    } catch (const UserError& error) {
      entry["status"] = "skipped";
      entry["reason"] = error.what();
    }
    record_.rows.push_back(std::move(entry));
  }

  void add_boxes() {
    const auto padded = image_of(spec_);
    boxes_.emplace(unpadded_image(spec_), Extent{.height = padded.h, .width = padded.w}, SyntheticDetector().classes,
                   kSeed);
    first_of_boxes_ = contestants_.size();
    for (auto& contestant : boxes_->contestants()) contend(contestant.name, std::move(contestant.pass));
  }

  void add_float() {
    auto made = std::make_shared<FloatNetwork>(spec_, image_);
    opponents_["libtorch-fp32"] = {{"status", "completed"},
                                   {"library", std::string("LibTorch ") + TORCH_VERSION},
                                   {"implementation", made->implementation()}};
    contend("libtorch-fp32", bench::timed([made] { made->run(); }));
  }

  void add_vendor(const std::string& arithmetic) {
    const auto name = "vendor-" + arithmetic;
    auto made = std::make_shared<VendorSum>(ours_.front()->network, arithmetic, surroundings_, team_);
    auto& entry = opponents_[name];
    if (!made->complete()) {
      entry = {{"status", "skipped"}, {"reason", made->reason()}};
      return;
    }
    entry = {{"status", "completed"},
             {"library", "all"},
             {"implementation", "sum over the convolutions, each timed alone by the library that is fastest at it"},
             {"convolutions", made->convolutions()}};
    contend(name, [made] { return made->pass(); });
  }

  void record(const std::vector<std::vector<double>>& seconds) {
    std::vector<bench::Times> against;
    for (size_t i = 0; i < contestants_.size(); ++i) {
      const auto found = opponents_.find(contestants_[i].name);
      if (found == opponents_.end()) continue;
      against.push_back({contestants_[i].name, seconds[i]});
      bench::add_speed(found->second, seconds[i], macs_);
    }
    record_.race["opponents"] = opponents_;
    for (auto& row : record_.rows) {
      const auto own = std::find_if(contestants_.begin(), contestants_.end(),
                                    [&](const auto& each) { return each.name == row.at("row").get<std::string>(); });
      if (own == contestants_.end()) continue;
      const auto& times = seconds[static_cast<size_t>(own - contestants_.begin())];
      bench::add_speed(row, times, macs_);
      row["ratios"] = bench::ratios_over(against, times);
      row["over"] = bench::over_fastest(against, times);
      if (!boxes_) continue;
      const auto first = seconds.begin() + static_cast<std::ptrdiff_t>(first_of_boxes_);
      const auto count = static_cast<std::ptrdiff_t>(boxes_->contestants().size());
      row["boxes"] = boxes_->beside(times, std::vector<std::vector<double>>(first, first + count));
    }
  }

  const KernelRace& spec_;
  const bench::Surroundings& surroundings_;
  bench::Team team_;
  std::vector<float> image_;
  bench::RaceRecord record_;
  std::vector<std::shared_ptr<OwnNetwork>> ours_;
  std::map<std::string, json> opponents_;
  std::vector<bench::Contestant> contestants_;
  std::optional<bench::BoxWork> boxes_;  // of a detector
  size_t first_of_boxes_ = 0;            // among the contestants
  int64_t macs_ = 0;
};

}  // namespace

bench::RaceRecord run_network_race(const KernelRace& spec, const bench::Surroundings& surroundings,
                                   bench::Races& races) {
  return NetworkRace(spec, surroundings).run(races);
}

}  // namespace auxbench
