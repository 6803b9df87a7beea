// Experiment: the objects one cell needs, made in one place from its spec.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "aux/joint_loss.h"
#include "models/weights.h"
#include "runner/plan/cell_spec.h"
#include "runner/tasks/methods.h"
#include "runner/tasks/task.h"
#include "runner/tasks/tensor_loader.h"
#include "runner/training/optimizer.h"

namespace auxbench {

class Experiment {
 public:
  // Initial weights follow from the seed alone; F's do not depend on the methods beside it. The task is the one that
  // the cell names, or `task`, which must outlive this.
  Experiment(const CellSpec& cell, const DataShape& data, const ComputeOptions& options);
  Experiment(const Task& task, const CellSpec& cell, const DataShape& data, const ComputeOptions& options);
  ~Experiment();

  [[nodiscard]] const CellSpec& cell() const { return cell_; }
  [[nodiscard]] const Task& task() const { return task_; }
  [[nodiscard]] const ComputeOptions& options() const { return options_; }
  Network& network() { return *network_; }
  // Networks beside this one that want the weights of a trained full-precision network.
  [[nodiscard]] std::vector<Network*> teachers() const;
  // Of a cell that trains; one that is calibrated has none.
  [[nodiscard]] Optimizer& optimizer() const;

  // F's tensors under "model.", the methods' under their prefixes (runner/tasks/methods.h), what the task's losses
  // remember under kTaskPrefix: parameters and buffers, and parameters alone.
  [[nodiscard]] NamedTensors tensors() const;
  [[nodiscard]] NamedTensors parameters() const;

  // The names among them of what quantizers learn and remember: fitted anew by every cell, never taken from the weights
  // it starts from.
  [[nodiscard]] std::set<std::string> quantizer_tensors() const;

  void train_mode(bool on);

  // Forward and backward; gradients are left in the parameters.
  JointLoss backward(const TensorBatch& batch, const StepPosition& position = {});

  // The number of levels the inner layers' quantizers have; 0 at full precision.
  [[nodiscard]] int64_t weight_levels() const;
  [[nodiscard]] int64_t activation_levels() const;

 private:
  const Task& task_;
  CellSpec cell_;
  ComputeOptions options_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<TaskLosses> losses_;
  std::vector<CellMethod> methods_;
  std::unique_ptr<Optimizer> optimizer_;  // null without a stage
};

}  // namespace auxbench
