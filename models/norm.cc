#include "models/norm.h"

#include "base/check.h"
#include "base/torch_prelude.h"

namespace auxbench {
namespace {

using torch::nn::BatchNorm2dImpl;

std::pair<at::Tensor, at::Tensor> constants_of(const BatchNorm2dImpl& norm) {
  const at::NoGradGuard no_gradient;
  const auto alpha = norm.weight / (norm.running_var + norm.options.eps()).sqrt();
  return {alpha, norm.bias - norm.running_mean * alpha};
}

at::Tensor normalise(BatchNorm2dImpl& norm, const at::Tensor& x) {
  // Where gradients are wanted of an evaluation, torch's own operator has them.
  if (norm.is_training() || at::GradMode::is_enabled()) return norm.forward(x);
  const auto [alpha, beta] = constants_of(norm);
  return x.mul(alpha.view({1, -1, 1, 1})).add_(beta.view({1, -1, 1, 1}));
}

class Bank final : public NormBank, public torch::nn::Module {
 public:
  explicit Bank(const std::vector<int64_t>& channels) {
    for (size_t i = 0; i < channels.size(); ++i)
      layers_.push_back(register_module(std::to_string(i), std::make_shared<BatchNorm2dImpl>(channels[i])));
  }

  std::shared_ptr<torch::nn::Module> module() override { return shared_from_this(); }
  at::Tensor apply(size_t index, const at::Tensor& x) { return normalise(*layers_.at(index), x); }

 private:
  std::vector<std::shared_ptr<BatchNorm2dImpl>> layers_;
};

}  // namespace

at::Tensor Norm::operator()(const at::Tensor& x, NormBank* bank) const {
  if (bank != nullptr) return static_cast<Bank*>(bank)->apply(index_, x);
  return normalise(*static_cast<BatchNorm2dImpl*>(own_.get()), x);
}

std::pair<at::Tensor, at::Tensor> Norm::constants() const {
  return constants_of(*static_cast<const BatchNorm2dImpl*>(own_.get()));
}

Norm NormList::add(torch::nn::Module& owner, const std::string& name, int64_t channels) {
  channels_.push_back(channels);
  return {owner.register_module(name, std::make_shared<BatchNorm2dImpl>(channels)), channels_.size() - 1};
}

std::shared_ptr<NormBank> NormList::make_bank() const { return std::make_shared<Bank>(channels_); }

}  // namespace auxbench
