#include "aux/stochastic_precision.h"

#include <algorithm>

#include "base/random.h"

namespace auxbench {
namespace {

class StochasticPrecision final : public TrainingMethod {
 public:
  StochasticPrecision(int64_t seed, double probability, double until)
      : seed_(seed), probability_(probability), until_(until) {}

  void prepare(Network& network, const StepPosition& position) override {
    const double done = static_cast<double>(position.iteration) / static_cast<double>(position.total);
    const double now = until_ > 0 ? probability_ * std::max(0.0, 1 - done / until_) : 0;
    RandomStream random(stream_seed(seed_, "stochastic-precision", static_cast<uint64_t>(position.iteration)));
    std::vector<bool> full(static_cast<size_t>(network.blocks()));
    for (size_t i = 0; i < full.size(); ++i) full[i] = random.uniform() < now;
    network.bypass(full);
  }

 private:
  int64_t seed_;
  double probability_, until_;
};

}  // namespace

std::unique_ptr<TrainingMethod> make_stochastic_precision(int64_t seed, double probability, double until) {
  return std::make_unique<StochasticPrecision>(seed, probability, until);
}

}  // namespace auxbench
