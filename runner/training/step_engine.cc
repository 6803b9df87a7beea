#include "runner/training/step_engine.h"

#include "base/torch_prelude.h"
#include "runner/training/clip_gradients.h"

namespace auxbench {
namespace {

class EagerStep final : public StepEngine {
 public:
  EagerStep(Experiment& experiment, GradientSync& sync) : experiment_(experiment), sync_(sync) {
    for (const auto& [name, parameter] : experiment.parameters()) parameters_.push_back(parameter);
  }

  JointLoss step(const TensorBatch& batch, double lr, const StepPosition& position) override {
    auto& optimizer = experiment_.optimizer();
    optimizer.set_learning_rate(lr);
    auto losses = experiment_.backward(batch, position);
    sync_.average(parameters_);
    if (const double bound = experiment_.cell().stage().clip_norm; bound > 0) clip_gradients(parameters_, bound);
    optimizer.step();
    return losses;
  }

 private:
  Experiment& experiment_;
  GradientSync& sync_;
  std::vector<at::Tensor> parameters_;  // in the order of their names
};

}  // namespace

std::unique_ptr<StepEngine> make_eager_step(Experiment& experiment, GradientSync& sync) {
  return std::make_unique<EagerStep>(experiment, sync);
}

}  // namespace auxbench
