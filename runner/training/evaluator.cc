#include "runner/training/evaluator.h"

#include <algorithm>

#include "base/torch_prelude.h"
#include "metrics/topk.h"
#include "runner/training/batch.h"

namespace auxbench {
namespace {

// Images in a batch: 500 small ones, fewer where they are photographs.
constexpr int64_t kLargestBatch = 500;
constexpr int64_t kFloats = int64_t{1} << 24;

}  // namespace

Evaluation evaluate(Network& network, const Images& images, const ExperimentOptions& where) {
  const at::NoGradGuard no_gradient;
  const auto size = static_cast<int64_t>(images->shape().size());
  TensorLoader loader(
      images, {.batch = std::clamp<int64_t>(kFloats / size, 1, kLargestBatch), .shuffle = false, .epochs = 1}, where);
  TopK ranks;
  for (int64_t i = 0; i < loader.batches(); ++i) {
    const auto batch = loader.take(0, i);
    const auto logits = network.forward(batch.images).logits.to(at::kCPU, at::kFloat).contiguous();
    const auto labels = batch.labels.to(at::kCPU);
    add_topk({logits.const_data_ptr<float>(), static_cast<size_t>(logits.numel())},
             {labels.const_data_ptr<int64_t>(), static_cast<size_t>(labels.numel())}, logits.size(1), ranks);
  }
  return {.top1 = percent(ranks.top1),
          .top5 = percent(ranks.top5),
          .predictions = std::move(ranks.predictions),
          .in_top1 = std::move(ranks.top1),
          .in_top5 = std::move(ranks.top5)};
}

}  // namespace auxbench
