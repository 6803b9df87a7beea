#include "runner/training/norm_statistics.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/torch_prelude.h"

namespace auxbench {
namespace {

// For as long as it lives, a norm gathers the plain mean over batches from nothing.
class Gathering {
 public:
  explicit Gathering(torch::nn::BatchNorm2dImpl& norm) : norm_(norm), momentum_(norm.options.momentum()) {
    norm_.reset_running_stats();
    norm_.options.momentum(std::nullopt);
    norm_.train(true);
  }
  ~Gathering() {
    norm_.options.momentum(momentum_);
    norm_.train(false);
  }
  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;

 private:
  torch::nn::BatchNorm2dImpl& norm_;
  std::optional<double> momentum_;
};

}  // namespace

std::vector<at::Tensor> some_images(const Images& images, int64_t count, int64_t batch, int64_t seed,
                                    const ComputeOptions& where) {
  TensorLoader loader(images, {.batch = batch, .seed = seed, .epochs = 1}, where);
  const auto wanted = std::min<int64_t>(count, images->count());
  std::vector<at::Tensor> batches;
  for (int64_t i = 0, drawn = 0; drawn < wanted && i < loader.batches(); ++i) {
    const auto taken = loader.take(0, i).images;
    batches.push_back(taken.slice(0, 0, std::min(taken.size(0), wanted - drawn)));
    drawn += batches.back().size(0);
  }
  return batches;
}

void reestimate_norms(Network& network, const std::vector<at::Tensor>& batches) {
  AUXBENCH_CHECK(!network.module().is_training(), "a network in evaluation mode");
  AUXBENCH_CHECK(!batches.empty(), "images to re-estimate norms on");
  const at::NoGradGuard no_gradient;
  std::vector<std::unique_ptr<Gathering>> gathering;
  for (const auto& module : network.module().modules(/*include_self=*/false))
    if (auto* norm = dynamic_cast<torch::nn::BatchNorm2dImpl*>(module.get()))
      gathering.push_back(std::make_unique<Gathering>(*norm));
  for (const auto& batch : batches)
    if (batch.size(0) == batches.front().size(0)) network.forward(batch);
}

}  // namespace auxbench
