#include "runner/training/schedule.h"

#include <cmath>
#include <numbers>

#include "base/check.h"

namespace auxbench {

double learning_rate(const StageSpec& stage, int64_t iteration, int64_t iterations_per_epoch) {
  AUXBENCH_CHECK(iterations_per_epoch > 0, "at least one iteration an epoch");
  const double epochs_done = static_cast<double>(iteration) / static_cast<double>(iterations_per_epoch);
  if (stage.schedule == "constant") return stage.lr;
  if (stage.schedule == "cosine") return stage.lr / 2 * (1 + std::cos(std::numbers::pi * epochs_done / stage.epochs));
  AUXBENCH_CHECK(stage.schedule == "step", "a schedule the language knows");
  double lr = stage.lr;
  for (const double milestone : stage.milestones)
    if (epochs_done >= milestone) lr *= stage.gamma;
  return lr;
}

}  // namespace auxbench
