#include "runner/training/experiment.h"

#include "base/check.h"
#include "base/torch_prelude.h"
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

// What pulls at a quantizer's learned clip where the stage decays no weights: L2 in the gradient, as in the recipes of
// PACT and APoT. Without it nothing ever lowers a clip that no activation reaches.
constexpr double kClipDecay = 1e-4;

// Learned parameters of a method's quantizers. Its learning rate as a multiple of the weights' is SGD's, whose steps
// grow with the gradient, a sum over all that a tensor holds. Adam divides the gradient by its own size: there the
// parameters learn at the weights' rate.
ParameterRule rule_of(const QuantizerMethod& method, const StageSpec& stage) {
  const double decay = stage.weight_decay > 0 ? stage.weight_decay : kClipDecay;
  return {.lr = stage.optimizer == "sgd" ? method.parameter_lr : 1,
          .weight_decay = method.decays_parameters ? decay : 0};
}

// How learned parameters of quantizers, and a teacher's weights, are trained.
ParameterRules rules_of(const CellSpec& cell, const std::set<std::string>& of_quantizers) {
  const auto* method = find_quantizer(cell.quantizer);
  return [method, cell, of_quantizers](const std::string& name) -> ParameterRule {
    if (of_quantizers.contains(name) && method != nullptr) return rule_of(*method, cell.stage());
    for (const std::string aid : {"kd", "kd-journal"})
      if (name.starts_with("aid." + aid + ".")) return {.lr = cell.aid_setting(aid + ".teacher_lr")};
    return {};
  };
}

}  // namespace

Experiment::Experiment(const CellSpec& cell, const DataShape& data, const ComputeOptions& options)
    : Experiment(task_of(cell), cell, data, options) {}

Experiment::Experiment(const Task& task, const CellSpec& cell, const DataShape& data, const ComputeOptions& options)
    : task_(task), cell_(cell), options_(options) {
  seed_torch(cell, "network");
  network_ = task.network(cell, data, Precision::of_cell);
  losses_ = task.make_losses(cell, data);
  methods_ = make_methods(task, cell, data, *network_);
  move_module(network_->module(), options.device, options.type);
  for (const auto& [prefix, method] : methods_)
    if (method->module() != nullptr) move_module(*method->module(), options.device, options.type);
  if (cell.trains())
    optimizer_ = std::make_unique<Optimizer>(cell.stage(), parameters(), rules_of(cell, quantizer_tensors()));
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
  if (losses_->module() != nullptr) all.merge(named_tensors(*losses_->module(), kTaskPrefix));
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
  losses_->begin_step(batch);
  const auto task_loss = [&](const NetworkOutput& output) { return losses_->losses(output, batch.targets); };
  auto result = joint_loss(*network_, methods, task_loss, batch.images, position);
  result.total.backward();
  return result;
}

std::set<std::string> Experiment::quantizer_tensors() const {
  std::set<std::string> all;
  const auto add = [&](const torch::nn::Module& module, const std::string& prefix) {
    for (const auto& name : auxbench::quantizer_tensors(module)) all.insert(prefix + name);
  };
  add(network_->module(), "model.");
  for (const auto& [prefix, method] : methods_)
    if (method->module() != nullptr) add(*method->module(), prefix);
  return all;
}

int64_t Experiment::weight_levels() const { return levels_of(cell_, Role::weight, cell_.weight_bits); }
int64_t Experiment::activation_levels() const { return levels_of(cell_, Role::activation, cell_.activation_bits); }

}  // namespace auxbench
