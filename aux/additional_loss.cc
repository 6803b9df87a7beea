#include "aux/additional_loss.h"

#include <vector>

#include "base/torch_prelude.h"
#include "quantizers/quantized_layers.h"

namespace auxbench {
namespace {

class AdditionalLoss final : public TrainingAid {
 public:
  AdditionalLoss(const Network& network, int64_t classes, double weight)
      : weight_(weight), module_(std::make_shared<torch::nn::Module>()) {
    int64_t stride = 1, index = 0;
    for (const auto& tap : network.tap_shapes(TapPlan())) {
      if (tap.stride != stride) {
        heads_.push_back({index, std::make_unique<QuantLinear>(tap.channels, classes, PrecisionPlan{})});
        module_->register_module("fc" + std::to_string(heads_.size()), heads_.back().classifier->module());
      }
      stride = tap.stride;
      ++index;
    }
  }

  at::Tensor loss(const AidInput& input) override {
    at::Tensor sum;
    for (const auto& [block, classifier] : heads_) {
      const auto& map = input.output.blocks.at(static_cast<size_t>(block));
      const auto loss = at::cross_entropy_loss(classifier->forward(at::relu(map).mean({2, 3})), input.labels);
      sum = sum.defined() ? sum + loss : loss;
    }
    return sum.defined() ? sum * weight_ : sum;
  }

  [[nodiscard]] bool reads_blocks() const override { return true; }
  torch::nn::Module* module() override { return module_.get(); }

 private:
  struct Head {
    int64_t block;
    std::unique_ptr<QuantLinear> classifier;
  };

  double weight_;
  std::shared_ptr<torch::nn::Module> module_;
  std::vector<Head> heads_;
};

}  // namespace

std::unique_ptr<TrainingAid> make_additional_loss(const Network& network, int64_t classes, double weight) {
  return std::make_unique<AdditionalLoss>(network, classes, weight);
}

}  // namespace auxbench
