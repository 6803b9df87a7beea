#include "aux/auxiliary_method.h"

#include <algorithm>

#include "base/torch_prelude.h"

namespace auxbench {
namespace {

class AuxiliaryMethod final : public TrainingMethod {
 public:
  AuxiliaryMethod(const Network& network, const AuxiliaryMethodOptions& options, const HeadMaker& make_head)
      : options_(options),
        weight_(options.weight),
        path_({.stem_channels = network.stem_channels(), .taps = network.tap_shapes(options.taps)}, options.path),
        head_(make_head(path_.channels())) {
    path_.module().register_module(head_->name(), head_->module());
    if (!options.separate_norms) return;
    norms_ = network.make_norms();
    path_.module().register_module("norms", norms_->module());
  }

  void prepare(Network& /*network*/, const StepPosition& position) override {
    if (!options_.until) return;
    const double done = static_cast<double>(position.iteration) / static_cast<double>(position.total);
    weight_ = options_.weight * std::max(0.0, 1 - done / *options_.until);
    ended_ = done >= *options_.until;
  }

  [[nodiscard]] TapRequest taps() const override {
    if (ended_) return {};
    return {.taps = options_.taps, .own_norms = norms_.get()};
  }

  NamedLosses losses(const StepView& step) override {
    if (ended_) return {};
    const auto output = head_->forward(path_.forward(step.output.stem, step.output.taps));
    return {{.name = "aux_loss",
             .value = sum_of(step.task_loss(output), "the task"),
             .weight = weight_,
             .judged = output.logits}};
  }

  torch::nn::Module* module() override { return &path_.module(); }

 private:
  AuxiliaryMethodOptions options_;
  double weight_;       // at the current step
  bool ended_ = false;  // the weight has come to zero
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
