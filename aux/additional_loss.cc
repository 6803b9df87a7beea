#include "aux/additional_loss.h"

#include <vector>

#include "base/torch_prelude.h"

namespace auxbench {
namespace {

class AdditionalLoss final : public TrainingMethod {
 public:
  AdditionalLoss(const Network& network, const HeadMaker& make_head, double weight)
      : weight_(weight), module_(std::make_shared<torch::nn::Module>()) {
    int64_t stride = 1, index = 0;
    for (const auto& tap : network.tap_shapes(TapPlan())) {
      if (tap.stride != stride) {
        heads_.push_back({index, make_head(tap.channels)});
        const auto& head = *heads_.back().head;
        module_->register_module(head.name() + std::to_string(heads_.size()), head.module());
      }
      stride = tap.stride;
      ++index;
    }
  }

  [[nodiscard]] TapRequest taps() const override { return {.blocks = true}; }

  NamedLosses losses(const StepView& step) override {
    at::Tensor sum;
    for (const auto& [block, head] : heads_) {
      const auto& map = step.output.blocks.at(static_cast<size_t>(block));
      const auto loss = sum_of(step.task_loss(head->forward(at::relu(map))), "the task");
      sum = sum.defined() ? sum + loss : loss;
    }
    if (!sum.defined()) return {};
    return {{.name = "additional_loss", .value = sum, .weight = weight_}};
  }

  torch::nn::Module* module() override { return module_.get(); }

 private:
  struct BlockHead {
    int64_t block;
    std::unique_ptr<Head> head;
  };

  double weight_;
  std::shared_ptr<torch::nn::Module> module_;
  std::vector<BlockHead> heads_;
};

}  // namespace

std::unique_ptr<TrainingMethod> make_additional_loss(const Network& network, const HeadMaker& make_head,
                                                     double weight) {
  return std::make_unique<AdditionalLoss>(network, make_head, weight);
}

}  // namespace auxbench
