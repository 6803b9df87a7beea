#include "aux/auxiliary_method.h"

#include "aux/falling_weight.h"
#include "base/torch_prelude.h"

namespace auxbench {
namespace {

class AuxiliaryMethod final : public TrainingMethod {
 public:
  AuxiliaryMethod(const Network& network, const AuxiliaryMethodOptions& options, const HeadMaker& make_head)
      : options_(options),
        weight_(options.weight, options.until),
        path_({.stem_channels = network.stem_channels(), .taps = network.tap_shapes(options.taps)}, options.path),
        head_(make_head(path_.channels())) {
    path_.module()->register_module(head_->name(), head_->module());
    if (!options.separate_norms) return;
    norms_ = network.make_norms();
    path_.module()->register_module("norms", norms_->module());
  }

  void prepare(Network& /*network*/, const StepPosition& position) override { weight_.move_to(position); }

  [[nodiscard]] TapRequest taps() const override {
    if (weight_.ended()) return {};
    return {.taps = options_.taps, .own_norms = norms_.get()};
  }

  NamedLosses losses(const StepView& step) override {
    if (weight_.ended()) return {};
    const auto output = head_->forward(path_.forward(step.output.stem, step.output.taps));
    return {{.name = "aux_loss",
             .value = sum_of(step.task_loss(output), "the task"),
             .weight = weight_.now(),
             .judged = output.logits}};
  }

  torch::nn::Module* module() override { return path_.module().get(); }

 private:
  AuxiliaryMethodOptions options_;
  FallingWeight weight_;
  AuxiliaryPath path_;
  std::unique_ptr<Head> head_;
  std::shared_ptr<NormBank> norms_;  // null when they are shared
};

}  // namespace

std::unique_ptr<TrainingMethod> make_auxiliary_method(const Network& network, const AuxiliaryMethodOptions& options,
                                                      const HeadMaker& make_head) {
  return std::make_unique<AuxiliaryMethod>(network, options, make_head);
}

}  // namespace auxbench
