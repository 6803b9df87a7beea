// Training methods: what a network is trained with beside its task's own loss. The paper's auxiliary module is one of
// them, its rivals are the others. None of it is left at inference.
//
// A step (joint_loss.h) asks each method for the taps it wants, lets it prepare, runs the network, and asks for its
// losses. What is differentiated is
//
//   product of task_loss_weight() * L_task(F) + sum over methods and their losses of weight * value
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/network.h"

namespace auxbench {

// One term of a loss: a scalar of floating type.
struct NamedLoss {
  std::string name;  // also of its learning curve
  at::Tensor value;
  double weight = 1;
  at::Tensor judged = {};  // the output that it judges, for probes; may be undefined
};
using NamedLosses = std::vector<NamedLoss>;

// sum of weight * value; undefined without any. Each must be a scalar of floating type: LogicFault names the one that
// is not, and `owner` says whose losses they are.
at::Tensor sum_of(const NamedLosses& losses, const std::string& owner);

// The task's losses of an output, of whichever network, against the targets of the step's images.
using TaskLoss = std::function<NamedLosses(const NetworkOutput&)>;

// Where in the training a step is.
struct StepPosition {
  int64_t iteration = 0;
  int64_t total = 1;
};

// The feature maps that a method reads. Methods without norms of their own share one pass through the network.
struct TapRequest {
  bool blocks = false;            // the map behind each block
  std::optional<TapPlan> taps;    // maps by this plan, and the stem's
  bool heads = false;             // the maps along a detector's towers
  NormBank* own_norms = nullptr;  // with `taps`: a second pass, which normalises with these
};

// A step as a method sees it once the network has run.
struct StepView {
  const at::Tensor& images;
  const NetworkOutput& output;  // of the pass that carries what the method asked for
  const TaskLoss& task_loss;
};

class TrainingMethod {
 public:
  virtual ~TrainingMethod() = default;

  [[nodiscard]] virtual TapRequest taps() const { return {}; }

  // Before the forward pass.
  virtual void prepare(Network& /*network*/, const StepPosition& /*position*/) {}

  // Its terms of the loss; may be none.
  virtual NamedLosses losses(const StepView& /*step*/) { return {}; }

  // Of the task's loss on the network itself.
  [[nodiscard]] virtual double task_loss_weight() const { return 1; }

  // Its tensors, saved with the cell's; parameters that require a gradient are trained. Null when it has none.
  virtual torch::nn::Module* module() { return nullptr; }
  // Puts its module into training or evaluation mode.
  virtual void train(bool on);

  // The network whose weights are to be a trained full-precision network's; null when there is none.
  virtual Network* teacher() { return nullptr; }
};

// What a task puts on the end of a path beside the network: a feature map [N, C, H, W] to an output like the network's.
class Head {
 public:
  virtual ~Head() = default;
  virtual NetworkOutput forward(const at::Tensor& map) = 0;
  // Under which name its owner registers the module.
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::shared_ptr<torch::nn::Module> module() const = 0;
};

// Draws a head's weights from torch's default generator.
using HeadMaker = std::function<std::unique_ptr<Head>(int64_t channels)>;

}  // namespace auxbench
