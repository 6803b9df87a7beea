#include "models/norm.h"

#include "base/check.h"
#include "base/error.h"
#include "base/torch_prelude.h"

namespace auxbench {
namespace {

NormConstants constants_of(const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& mean,
                           const at::Tensor& variance, double eps) {
  const at::NoGradGuard no_gradient;
  const auto alpha = weight / (variance + eps).sqrt();
  return {alpha, bias - mean * alpha};
}

at::Tensor apply(const NormConstants& constants, const at::Tensor& x, const AfterNorm& after) {
  return affine(x, constants.alpha, constants.beta, after);
}

class BatchNorm final : public NormLayer, public torch::nn::BatchNorm2dImpl {
 public:
  explicit BatchNorm(int64_t channels) : torch::nn::BatchNorm2dImpl(channels) {}

  at::Tensor normalise(const at::Tensor& x, size_t level, const AfterNorm& after) override {
    // Where gradients are wanted of an evaluation, torch's own operator has them.
    if (is_training() || at::GradMode::is_enabled()) return auxbench::normalised(*this, x, after);
    return auxbench::apply(constants(level), x, after);
  }

  [[nodiscard]] NormConstants constants(size_t /*level*/) const override {
    return constants_of(weight, bias, running_mean, running_var, options.eps());
  }

  std::shared_ptr<torch::nn::Module> module() override { return shared_from_this(); }
};

class FrozenBatchNorm final : public NormLayer, public torch::nn::Module {
 public:
  explicit FrozenBatchNorm(int64_t channels)
      : weight_(register_buffer("weight", at::ones({channels}))),
        bias_(register_buffer("bias", at::zeros({channels}))),
        mean_(register_buffer("running_mean", at::zeros({channels}))),
        variance_(register_buffer("running_var", at::ones({channels}))) {}

  at::Tensor normalise(const at::Tensor& x, size_t level, const AfterNorm& after) override {
    return auxbench::apply(constants(level), x, after);
  }

  [[nodiscard]] NormConstants constants(size_t /*level*/) const override {
    return constants_of(weight_, bias_, mean_, variance_, kEps);
  }

  std::shared_ptr<torch::nn::Module> module() override { return shared_from_this(); }

 private:
  static constexpr double kEps = 1e-5;
  // The registered buffers; whoever moves or loads the module changes these very tensors.
  at::Tensor weight_, bias_, mean_, variance_;
};

class PerLevelNorm final : public NormLayer, public torch::nn::Module {
 public:
  // make(): the norm of one level.
  template <typename Make>
  PerLevelNorm(size_t levels, const Make& make) {
    AUXBENCH_CHECK(levels > 0, "at least one level");
    for (size_t i = 0; i < levels; ++i) levels_.push_back(register_module(std::to_string(i), make()));
  }

  at::Tensor normalise(const at::Tensor& x, size_t level, const AfterNorm& after) override {
    return level_at(level).normalise(x, 0, after);
  }
  [[nodiscard]] NormConstants constants(size_t level) const override { return level_at(level).constants(0); }
  std::shared_ptr<torch::nn::Module> module() override { return shared_from_this(); }

 private:
  [[nodiscard]] NormLayer& level_at(size_t level) const {
    AUXBENCH_CHECK(level < levels_.size(), "a level that the norm has, not " + std::to_string(level));
    return *levels_[level];
  }

  std::vector<std::shared_ptr<NormLayer>> levels_;
};

// torch's own module, without its header in everyone's prelude.
class GroupNorm final : public NormLayer, public torch::nn::Module {
 public:
  explicit GroupNorm(int64_t channels)
      : weight_(register_parameter("weight", at::ones({channels}))),
        bias_(register_parameter("bias", at::zeros({channels}))) {}

  at::Tensor normalise(const at::Tensor& x, size_t /*level*/, const AfterNorm& after) override {
    return followed_by(at::group_norm(x, kNormGroups, weight_, bias_, kEps), after);
  }

  [[nodiscard]] NormConstants constants(size_t /*level*/) const override { return {}; }

  std::shared_ptr<torch::nn::Module> module() override { return shared_from_this(); }

 private:
  static constexpr double kEps = 1e-5;
  at::Tensor weight_, bias_;  // the registered parameters
};

class Bank final : public NormBank, public torch::nn::Module {
 public:
  explicit Bank(const std::vector<NormList::Made>& made) {
    for (size_t i = 0; i < made.size(); ++i) {
      layers_.push_back(make_norm(made[i].options, made[i].channels, made[i].start));
      register_module(std::to_string(i), layers_.back()->module());
    }
  }

  std::shared_ptr<torch::nn::Module> module() override { return shared_from_this(); }
  NormLayer& layer(size_t index) override { return *layers_.at(index); }

 private:
  std::vector<std::shared_ptr<NormLayer>> layers_;
};

std::shared_ptr<NormLayer> make_plain_norm(const NormOptions& options, int64_t channels) {
  switch (options.kind) {
    case NormKind::batch:
      return std::make_shared<BatchNorm>(channels);
    case NormKind::frozen:
      return std::make_shared<FrozenBatchNorm>(channels);
    case NormKind::per_level:
      return std::make_shared<PerLevelNorm>(options.levels, [=] { return std::make_shared<BatchNorm>(channels); });
    case NormKind::frozen_per_level:
      return std::make_shared<PerLevelNorm>(options.levels,
                                            [=] { return std::make_shared<FrozenBatchNorm>(channels); });
    case NormKind::group:
      if (channels % kNormGroups != 0)
        throw UserError(ExitCode::invalid_suite, "norm group: " + std::to_string(channels) +
                                                     " channels do not fall into " + std::to_string(kNormGroups) +
                                                     " groups");
      return std::make_shared<GroupNorm>(channels);
  }
  AUXBENCH_CHECK(false, "a kind of norm that exists");
}

}  // namespace

std::shared_ptr<NormLayer> make_norm(const NormOptions& options, int64_t channels, NormStart start) {
  auto layer = make_plain_norm(options, channels);
  if (start == NormStart::identity) return layer;
  AUXBENCH_CHECK(!is_frozen(options.kind), "a norm that learns, to start at scale 0");
  const at::NoGradGuard no_gradient;
  for (auto& parameter : layer->module()->named_parameters())
    if (parameter.key().ends_with("weight")) parameter.value().zero_();
  return layer;
}

Norm Norm::at(size_t level) const {
  auto other = *this;
  other.level_ = level;
  return other;
}

at::Tensor Norm::operator()(const at::Tensor& x, NormBank* bank, const AfterNorm& after) const {
  return (bank != nullptr ? bank->layer(index_) : *own_).normalise(x, level_, after);
}

Norm NormList::add(torch::nn::Module& owner, const std::string& name, int64_t channels, NormStart start) {
  return add(owner, name, channels, options_, start);
}

Norm NormList::add(torch::nn::Module& owner, const std::string& name, int64_t channels, const NormOptions& options,
                   NormStart start) {
  auto layer = make_norm(options, channels, start);
  owner.register_module(name, layer->module());
  made_.push_back({options, channels, start});
  return {std::move(layer), made_.size() - 1};
}

std::shared_ptr<NormBank> NormList::make_bank() const { return std::make_shared<Bank>(made_); }

}  // namespace auxbench
