#include "runner/tasks/task.h"

#include "base/check.h"
#include "runner/tasks/classification/classification.h"

namespace auxbench {

const Task* find_task(const std::string& name) { return name == "classification" ? &classification() : nullptr; }

bool at_chance(const Evaluation& evaluation, std::optional<double> chance) {
  AUXBENCH_CHECK(!evaluation.metrics.empty(), "an evaluation with a metric");
  constexpr double kMargin = 1.2;
  const auto& first = evaluation.metrics.front();
  if (!chance) return false;
  return first.higher_is_better ? first.value <= kMargin * *chance : first.value >= *chance / kMargin;
}

}  // namespace auxbench
