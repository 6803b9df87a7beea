#include "runner/tasks/task.h"

#include "base/check.h"
#include "base/format.h"
#include "runner/tasks/classification/classification.h"

namespace auxbench {

const Task* find_task(const std::string& name) { return name == "classification" ? &classification() : nullptr; }

std::optional<std::string> sign_of_chance(const Evaluation& evaluation, const Curves& curves,
                                          const std::optional<ChanceLevel>& chance) {
  AUXBENCH_CHECK(!evaluation.metrics.empty(), "an evaluation with a metric");
  if (!chance) return std::nullopt;
  const auto& first = evaluation.metrics.front();
  if (first.higher_is_better ? first.value <= chance->metric : first.value >= chance->metric)
    return first.name + " is at chance level";
  const auto epochs = curves.find("epoch"), losses = curves.find("train_loss");
  if (!chance->loss || epochs == curves.end() || losses == curves.end() || losses->second.empty() ||
      epochs->second.back() < 2 || losses->second.back() < *chance->loss)
    return std::nullopt;
  return "the training loss, " + number_text(losses->second.back(), 2) + ", is at chance level";
}

}  // namespace auxbench
