#include "runner/tasks/task.h"

#include <algorithm>

#include "base/check.h"
#include "base/format.h"
#include "runner/tasks/classification/classification.h"
#include "runner/tasks/detection/detection.h"

namespace auxbench {

const Task* find_task(const std::string& name) {
  if (name == "classification") return &classification();
  return name == "detection" ? &detection() : nullptr;
}

std::optional<std::string> sign_of_chance(const Evaluation& evaluation, const Curves& curves,
                                          const std::optional<ChanceLevel>& chance) {
  AUXBENCH_CHECK(!evaluation.metrics.empty(), "an evaluation with a metric");
  if (!chance) return std::nullopt;
  const auto& metrics = evaluation.metrics;
  const auto decides = std::find_if(metrics.begin(), metrics.end(), [&](const Metric& metric) {
    return chance->name.empty() || metric.name == chance->name;
  });
  AUXBENCH_CHECK(decides != metrics.end(), "an evaluation with the metric " + chance->name);
  if (decides->higher_is_better ? decides->value <= chance->metric : decides->value >= chance->metric)
    return decides->name + " is at chance level";
  const auto epochs = curves.find("epoch"), losses = curves.find("train_loss");
  if (!chance->loss || epochs == curves.end() || losses == curves.end() || losses->second.empty() ||
      epochs->second.back() < 2 || losses->second.back() < *chance->loss)
    return std::nullopt;
  return "the training loss, " + number_text(losses->second.back(), 2) + ", is at chance level";
}

}  // namespace auxbench
