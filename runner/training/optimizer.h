// SGD with momentum and Adam over named parameters, one fused pass over all of them (LibTorch's own kernels).
//
//   sgd   v <- m v + (g + wd p);  p <- p - lr (g + wd p + m v) with Nesterov, p - lr v without
//   adam  betas 0.9, 0.999, eps 1e-8, bias-corrected; weight decay is L2 in the gradient
// With decay_norms false, weight decay spares every parameter of fewer than two dimensions (BN affine, biases). A rule
// for a parameter goes before both.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/weights.h"
#include "runner/plan/cell_spec.h"

namespace auxbench {

// How a parameter is trained where that is not how weights are.
struct ParameterRule {
  double lr = 1;                            // times the stage's
  std::optional<double> weight_decay = {};  // its own; unset: the stage's, as decay_norms says
};

using ParameterRules = std::function<ParameterRule(const std::string& name)>;

class Optimizer {
 public:
  Optimizer(const StageSpec& stage, const NamedTensors& parameters, const ParameterRules& rules = {});

  // Written into tensors that step() reads, so that a captured step sees the learning rate of the day.
  void set_learning_rate(double lr);
  // At that learning rate; 0 before the first is set. Parameters without a gradient are left alone.
  void step();
  void clear_gradients();

  // Momenta and step counts by name, e.g. "conv1.weight.exp_avg"; the tensors are the optimiser's own.
  [[nodiscard]] NamedTensors state() const;

 private:
  struct Group {
    double weight_decay = 0;
    double lr = 1;             // times the stage's
    at::Tensor learning_rate;  // [], the product: float64 on the CPU, float32 on a device
    std::vector<std::string> names;
    std::vector<at::Tensor> parameters, first, second, steps;
  };
  Group& group_for(double weight_decay, double lr, const at::Tensor& parameter);
  void step_group(const Group& group);

  StageSpec stage_;
  std::vector<Group> groups_;
};

}  // namespace auxbench
