#include "runner/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.h"

namespace auxbench {

namespace {

double without_warmup(const StageSpec& stage, double epochs_done) {
  if (stage.schedule == "constant") return stage.lr;
  if (stage.schedule == "cosine") {
    const double progress = std::max(0.0, epochs_done - stage.warmup) / (stage.epochs - stage.warmup);
    return stage.lr / 2 * (1 + std::cos(std::numbers::pi * progress));
  }
  AUXBENCH_CHECK(stage.schedule == "step", "a schedule the language knows");
  double lr = stage.lr;
  for (const double milestone : stage.milestones)
    if (epochs_done >= milestone) lr *= stage.gamma;
  return lr;
}

}  // namespace

double learning_rate(const StageSpec& stage, int64_t iteration, int64_t iterations_per_epoch) {
  AUXBENCH_CHECK(iterations_per_epoch > 0, "at least one iteration an epoch");
  const auto an_epoch = static_cast<double>(iterations_per_epoch);
  const double lr = without_warmup(stage, static_cast<double>(iteration) / an_epoch);
  const double rising = stage.warmup * an_epoch;  // iterations
  const double done = static_cast<double>(iteration) + 1;
  return done < rising ? lr * (done / rising) : lr;
}

}  // namespace auxbench
