#include "runner/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.h"

namespace auxbench {

namespace {

// done: in the unit that the stage is counted in.
double without_warmup(const StageSpec& stage, double done) {
  if (stage.schedule == "constant") return stage.lr;
  if (stage.schedule == "cosine") {
    const double progress = std::max(0.0, done - stage.warmup) / (stage.length() - stage.warmup);
    return stage.lr / 2 * (1 + std::cos(std::numbers::pi * progress));
  }
  AUXBENCH_CHECK(stage.schedule == "step", "a schedule the language knows");
  double lr = stage.lr;
  for (const double milestone : stage.milestones)
    if (done >= milestone) lr *= stage.gamma;
  return lr;
}

}  // namespace

double learning_rate(const StageSpec& stage, int64_t iteration, int64_t iterations_per_epoch) {
  AUXBENCH_CHECK(iterations_per_epoch > 0, "at least one iteration an epoch");
  const double unit = stage.by_iterations() ? 1 : static_cast<double>(iterations_per_epoch);  // in iterations
  const double lr = without_warmup(stage, static_cast<double>(iteration) / unit);
  const double rising = stage.warmup * unit;  // iterations
  const double done = static_cast<double>(iteration) + 1;
  return done < rising ? lr * (done / rising) : lr;
}

}  // namespace auxbench
