#include "aux/auxiliary_method.h"

#include "base/torch_prelude.h"

namespace auxbench {
namespace {

class AuxiliaryMethod final : public TrainingMethod {
 public:
  AuxiliaryMethod(const Network& network, const AuxiliaryMethodOptions& options, const HeadMaker& make_head)
      : options_(options),
        path_({.stem_channels = network.stem_channels(), .taps = network.tap_shapes(options.taps)}, options.path),
        head_(make_head(path_.channels())) {
    path_.module().register_module(head_->name(), head_->module());
    if (!options.separate_norms) return;
    norms_ = network.make_norms();
    path_.module().register_module("norms", norms_->module());
  }

  [[nodiscard]] TapRequest taps() const override { return {.taps = options_.taps, .own_norms = norms_.get()}; }

  NamedLosses losses(const StepView& step) override {
    const auto output = head_->forward(path_.forward(step.output.stem, step.output.taps));
    return {{.name = "aux_loss",
             .value = sum_of(step.task_loss(output), "the task"),
             .weight = options_.weight,
             .judged = output.logits}};
  }

  torch::nn::Module* module() override { return &path_.module(); }

 private:
  AuxiliaryMethodOptions options_;
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
