#include "runner/training/experiment.h"

#include "base/check.h"
#include "base/torch_prelude.h"
#include "datasets/dataset.h"
#include "quantizers/quantized_layers.h"
#include "runner/tasks/cell_network.h"

namespace auxbench {
namespace {

int64_t levels_of(const CellSpec& cell, Role role, int bits) {
  const auto quantizer = layer_quantizer(precision_of(cell), role, bits);
  return quantizer ? quantizer->levels() : 0;
}

const Task& task_of(const CellSpec& cell) {
  const auto* task = find_task(cell.task);
  AUXBENCH_CHECK(task != nullptr, "a task that exists, not " + cell.task);
  return *task;
}

// How learned parameters of quantizers, and a teacher's weights, are trained.
ParameterRules rules_of(const CellSpec& cell) {
  const auto* method = find_quantizer(cell.quantizer);
  return [method, cell](const std::string& name) -> ParameterRule {
    if (is_quantizer_tensor(name) && method != nullptr)
      return {.lr = method->parameter_lr, .decays = method->decays_parameters};
    for (const std::string aid : {"kd", "kd-journal"})
      if (name.starts_with("aid." + aid + ".")) return {.lr = cell.aid_setting(aid + ".teacher_lr")};
    return {};
  };
}

}  // namespace

std::string why_not_implemented(const CellSpec& cell) {
  const std::string prefix = "not implemented yet: ";
  if (cell.task != "classification") return prefix + "task " + cell.task;
  if (!network_exists(cell.model)) return prefix + "model " + cell.model;
  if (!cell.full_precision() && find_quantizer(cell.quantizer) == nullptr)
    return prefix + "quantizer " + cell.quantizer;
  if (!dataset_implemented(cell.dataset)) return prefix + "dataset " + cell.dataset;
  return {};
}

Experiment::Experiment(const CellSpec& cell, const DataShape& data, const ComputeOptions& options)
    : Experiment(task_of(cell), cell, data, options) {}

Experiment::Experiment(const Task& task, const CellSpec& cell, const DataShape& data, const ComputeOptions& options)
    : task_(task), cell_(cell), options_(options) {
  seed_torch(cell, "network");
  network_ = task.network(cell, data, Precision::of_cell);
  methods_ = make_methods(task, cell, data, *network_);
  move_module(network_->module(), options.device, options.type);
  for (const auto& [prefix, method] : methods_)
    if (method->module() != nullptr) move_module(*method->module(), options.device, options.type);
  if (cell.trains()) optimizer_ = std::make_unique<Optimizer>(cell.stage(), parameters(), rules_of(cell));
}

Experiment::~Experiment() = default;

Optimizer& Experiment::optimizer() const {
  AUXBENCH_CHECK(optimizer_ != nullptr, "a cell that trains");
  return *optimizer_;
}

std::vector<Network*> Experiment::teachers() const {
  std::vector<Network*> found;
  for (const auto& [prefix, method] : methods_)
    if (method->teacher() != nullptr) found.push_back(method->teacher());
  return found;
}

NamedTensors Experiment::tensors() const {
  auto all = named_tensors(network_->module(), "model.");
  for (const auto& [prefix, method] : methods_)
    if (method->module() != nullptr) all.merge(named_tensors(*method->module(), prefix));
  return all;
}

NamedTensors Experiment::parameters() const {
  auto all = tensors();
  std::erase_if(all, [](const auto& item) { return !item.second.requires_grad(); });
  return all;
}

void Experiment::train_mode(bool on) {
  network_->module().train(on);
  for (const auto& [prefix, method] : methods_) method->train(on);
  if (!on) network_->bypass({});
}

JointLoss Experiment::backward(const TensorBatch& batch, const StepPosition& position) {
  optimizer().clear_gradients();
  std::vector<TrainingMethod*> methods;
  for (const auto& [prefix, method] : methods_) methods.push_back(method.get());
  const auto task_loss = [&](const NetworkOutput& output) { return task_.losses(output, batch.targets); };
  auto result = joint_loss(*network_, methods, task_loss, batch.images, position);
  result.total.backward();
  return result;
}

bool is_quantizer_tensor(const std::string& name) {
  return name.find("_quantizer.") != std::string::npos || name.find("_activation.") != std::string::npos;
}

int64_t Experiment::weight_levels() const { return levels_of(cell_, Role::weight, cell_.weight_bits); }
int64_t Experiment::activation_levels() const { return levels_of(cell_, Role::activation, cell_.activation_bits); }

}  // namespace auxbench
