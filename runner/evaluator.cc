#include "runner/evaluator.h"

#include <algorithm>

#include "base/torch_prelude.h"
#include "datasets/loader.h"
#include "metrics/topk.h"

namespace auxbench {

Evaluation evaluate(Network& network, const Dataset& data, c10::Device device, c10::ScalarType type) {
  constexpr int64_t kBatch = 500;
  const at::NoGradGuard no_gradient;
  const auto& images = data.test;
  TopK ranks;
  for (int64_t first = 0; first < images.count; first += kBatch) {
    const auto count = std::min(kBatch, images.count - first);
    auto pixels = at::empty({count, images.channels, images.height, images.width}, at::kFloat);
    std::vector<int64_t> labels(static_cast<size_t>(count));
    fill_in_order(data, images, first, {pixels.mutable_data_ptr<float>(), static_cast<size_t>(pixels.numel())}, labels);
    const auto logits = network.forward(pixels.to(device, type)).logits.to(at::kCPU, at::kFloat).contiguous();
    add_topk({logits.const_data_ptr<float>(), static_cast<size_t>(logits.numel())}, labels, logits.size(1), ranks);
  }
  return {.top1 = percent(ranks.top1), .top5 = percent(ranks.top5), .predictions = std::move(ranks.predictions)};
}

}  // namespace auxbench
