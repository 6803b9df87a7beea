#include "aux/distillation.h"

#include "base/check.h"
#include "base/error.h"
#include "base/torch_prelude.h"
#include "quantizers/quantized_layers.h"

namespace auxbench {
namespace {

// Mean over the batch of sum p (log p - log q); p and q from logits.
at::Tensor divergence(const at::Tensor& of, const at::Tensor& from) {
  const auto log_p = of.log_softmax(1), log_q = from.log_softmax(1);
  return (log_p.exp() * (log_p - log_q)).sum(1).mean();
}

// Mean over the batch of the cross-entropy with the teacher's probabilities as labels.
at::Tensor soft_cross_entropy(const at::Tensor& logits, const at::Tensor& teacher) {
  return -(teacher.softmax(1) * logits.log_softmax(1)).sum(1).mean();
}

// Where in an image a map is active: [N, H W], of length 1.
at::Tensor attention_map(const at::Tensor& map) {
  const auto flat = map.abs().sum(1).flatten(1);
  return flat / flat.norm(2, {1}, /*keepdim=*/true).clamp_min(1e-12);
}

class Distillation final : public TrainingMethod {
 public:
  Distillation(std::unique_ptr<Network> teacher, const DistillationOptions& options, const PrecisionPlan& activations)
      : teacher_(std::move(teacher)), options_(options) {
    if (is("hint")) add_quantizer(activations);
    if (!learns())
      for (auto& parameter : teacher_->module().parameters()) parameter.set_requires_grad(false);
    int64_t index = 0, channels = -1;
    for (const auto& tap : teacher_->tap_shapes(TapPlan())) {
      if (index > 0 && tap.channels != channels) stage_ends_.push_back(index - 1);
      channels = tap.channels;
      ++index;
    }
    stage_ends_.push_back(index - 1);
  }

  [[nodiscard]] TapRequest taps() const override { return {.blocks = reads_blocks()}; }

  NamedLosses losses(const StepView& step) override {
    const TapPlan taps;
    NetworkOutput output;
    {
      const at::AutoGradMode mode(learns());
      output = teacher_->forward(step.images, reads_blocks() ? &taps : nullptr);
    }
    const auto& kind = options_.kind;
    if (is("hint")) return {{.name = "hint_loss", .value = hint(step.output.blocks, output.blocks)}};
    NamedLosses terms = {{.name = kind + "_loss", .value = student_term(step.output.logits, output.logits.detach())}};
    if (options_.attention > 0)
      terms.push_back({.name = kind + "_attention_loss",
                       .value = attention(step.output.blocks, output.blocks),
                       .weight = options_.attention});
    if (learns()) terms.push_back({.name = kind + "_teacher_loss", .value = teacher_term(output, step)});
    return terms;
  }

  [[nodiscard]] double task_loss_weight() const override { return options_.own_weight; }
  torch::nn::Module* module() override { return &teacher_->module(); }
  // A frozen teacher's norms stay as they are too.
  void train(bool on) override { teacher_->module().train(on && learns()); }
  Network* teacher() override { return teacher_.get(); }

 private:
  [[nodiscard]] bool is(const char* kind) const { return options_.kind == kind; }
  [[nodiscard]] bool learns() const { return is("kd") || is("kd-journal") || is("apprentice-a"); }
  [[nodiscard]] bool reads_blocks() const { return options_.attention > 0 || is("hint"); }
  [[nodiscard]] bool is_apprentice() const { return options_.kind.starts_with("apprentice"); }

  // A part of the module, so that a resumed training finds it fitted.
  void add_quantizer(const PrecisionPlan& activations) {
    quantizer_ = layer_quantizer(activations, Role::activation, activations.activation_bits);
    if (!quantizer_) return;
    quantizer_->allocate_state(at::empty({1}));
    register_quantizer(teacher_->module(), "hint_quantizer", *quantizer_);
  }

  [[nodiscard]] at::Tensor student_term(const at::Tensor& logits, const at::Tensor& teacher) const {
    if (is_apprentice()) return options_.beta * soft_cross_entropy(logits, teacher);
    if (is("kd-journal")) return options_.beta * divergence(teacher, logits);
    return options_.beta * divergence(logits, teacher);
  }

  [[nodiscard]] at::Tensor teacher_term(const NetworkOutput& teacher, const StepView& step) const {
    const auto own = sum_of(step.task_loss(teacher), "the task");
    if (is_apprentice()) return own;
    const auto student = step.output.logits.detach();
    return own + options_.beta *
                     (is("kd-journal") ? divergence(student, teacher.logits) : divergence(teacher.logits, student));
  }

  [[nodiscard]] at::Tensor attention(const std::vector<at::Tensor>& maps,
                                     const std::vector<at::Tensor>& teacher) const {
    at::Tensor sum;
    for (const auto block : stage_ends_) {
      const auto i = static_cast<size_t>(block);
      const auto distance =
          (attention_map(at::relu(maps[i])) - attention_map(at::relu(teacher[i]).detach())).square().mean();
      sum = sum.defined() ? sum + distance : distance;
    }
    return sum / static_cast<double>(stage_ends_.size());
  }

  [[nodiscard]] at::Tensor hint(const std::vector<at::Tensor>& maps, const std::vector<at::Tensor>& teacher) {
    const auto quantized = [&](const at::Tensor& map) {
      return quantizer_ ? quantizer_->quantize(at::relu(map)) : at::relu(map);
    };
    at::Tensor sum;
    const auto count = std::min<size_t>(static_cast<size_t>(options_.hint_blocks), maps.size());
    for (size_t i = maps.size() - count; i < maps.size(); ++i) {
      const auto distance = (quantized(teacher[i]).detach() - quantized(maps[i])).square().mean();
      sum = sum.defined() ? sum + distance : distance;
    }
    return options_.hint_weight / 2 * sum;
  }

  std::unique_ptr<Network> teacher_;
  DistillationOptions options_;
  std::vector<int64_t> stage_ends_;
  std::unique_ptr<Quantizer> quantizer_;
};

}  // namespace

std::unique_ptr<TrainingMethod> make_distillation(std::unique_ptr<Network> teacher, const DistillationOptions& options,
                                                  const PrecisionPlan& activations) {
  if (teacher->detector() != nullptr && options.kind != "hint")
    throw UserError(ExitCode::invalid_suite,
                    "aid " + options.kind + " compares the probabilities of an image's classes: a detector has none");
  return std::make_unique<Distillation>(std::move(teacher), options, activations);
}

}  // namespace auxbench
