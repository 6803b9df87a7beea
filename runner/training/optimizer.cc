#include "runner/training/optimizer.h"

#include "base/check.h"
#include "base/torch_prelude.h"

namespace auxbench {

Optimizer::Optimizer(const StageSpec& stage, const NamedTensors& parameters, const ParameterRules& rules)
    : stage_(stage) {
  AUXBENCH_CHECK(stage.optimizer == "sgd" || stage.optimizer == "adam", "an optimiser the language knows");
  for (const auto& [name, parameter] : parameters) {
    const auto rule = rules ? rules(name) : ParameterRule();
    const double usual = stage.decay_norms || parameter.dim() >= 2 ? stage.weight_decay : 0;
    auto& group = group_for(rule.weight_decay.value_or(usual), rule.lr, parameter);
    group.names.push_back(name);
    group.parameters.push_back(parameter);
    group.first.push_back(at::zeros_like(parameter));
    if (stage.optimizer == "sgd") continue;
    group.second.push_back(at::zeros_like(parameter));
    group.steps.push_back(at::zeros({}, parameter.options().dtype(at::kFloat)));
  }
}

Optimizer::Group& Optimizer::group_for(double weight_decay, double lr, const at::Tensor& parameter) {
  for (auto& group : groups_)
    if (group.weight_decay == weight_decay && group.lr == lr) return group;
  // As LibTorch's fused steps want it: read on the host on the CPU, by the kernel on a device.
  const auto type = parameter.device().is_cpu() ? at::kDouble : at::kFloat;
  groups_.push_back(
      {.weight_decay = weight_decay, .lr = lr, .learning_rate = at::zeros({}, parameter.options().dtype(type))});
  return groups_.back();
}

void Optimizer::set_learning_rate(double lr) {
  const at::NoGradGuard no_gradient;
  for (auto& group : groups_) group.learning_rate.fill_(lr * group.lr);
}

void Optimizer::step() {
  const at::NoGradGuard no_gradient;
  for (const auto& group : groups_) step_group(group);
}

void Optimizer::step_group(const Group& group) {
  std::vector<at::Tensor> parameters, gradients, first, second, steps;
  for (size_t i = 0; i < group.parameters.size(); ++i) {
    const auto& gradient = group.parameters[i].grad();
    if (!gradient.defined()) continue;
    parameters.push_back(group.parameters[i]);
    gradients.push_back(gradient.strides() == parameters.back().strides()
                            ? gradient
                            : at::empty_like(parameters.back()).copy_(gradient));
    first.push_back(group.first[i]);
    if (group.second.empty()) continue;
    second.push_back(group.second[i]);
    steps.push_back(group.steps[i]);
  }
  if (parameters.empty()) return;
  if (stage_.optimizer == "sgd") {
    // Momenta start at zero, so that the first step needs no case of its own. Without momentum there are no buffers.
    if (stage_.momentum == 0) first.clear();
    at::_fused_sgd_(parameters, gradients, first, group.weight_decay, stage_.momentum, group.learning_rate,
                    /*dampening=*/0, stage_.nesterov && stage_.momentum > 0, /*maximize=*/false,
                    /*is_first_step=*/false);
    return;
  }
  for (auto& count : steps) count.add_(1);
  at::_fused_adam_(parameters, gradients, first, second, {}, steps, group.learning_rate, 0.9, 0.999, group.weight_decay,
                   1e-8,
                   /*amsgrad=*/false, /*maximize=*/false);
}

void Optimizer::clear_gradients() {
  for (auto& group : groups_)
    for (auto& parameter : group.parameters) parameter.mutable_grad().reset();
}

NamedTensors Optimizer::state() const {
  NamedTensors tensors;
  for (const auto& group : groups_) {
    for (size_t i = 0; i < group.names.size(); ++i) {
      const bool sgd = group.second.empty();
      tensors[group.names[i] + (sgd ? ".momentum" : ".exp_avg")] = group.first[i];
      if (sgd) continue;
      tensors[group.names[i] + ".exp_avg_sq"] = group.second[i];
      tensors[group.names[i] + ".step"] = group.steps[i];
    }
  }
  return tensors;
}

}  // namespace auxbench
