#include "runner/training/evaluator.h"

#include <algorithm>

#include "base/torch_prelude.h"

namespace auxbench {
namespace {

// Images in a batch: 500 small ones, fewer where they are photographs.
constexpr int64_t kLargestBatch = 500;
constexpr int64_t kFloats = int64_t{1} << 24;

int64_t batch_of(const ImageSource& images) {
  if (images.boxed()) return 1;
  return std::clamp<int64_t>(kFloats / static_cast<int64_t>(images.shape().size()), 1, kLargestBatch);
}

}  // namespace

Evaluation evaluate(const Task& task, const CellSpec& cell, Network& network, const Images& images,
                    const ComputeOptions& where) {
  const at::NoGradGuard no_gradient;
  const auto evaluator = task.evaluator(cell, *images);
  TensorLoader loader(images, {.batch = batch_of(*images), .shuffle = false, .epochs = 1}, where);
  for (int64_t i = 0; i < loader.batches(); ++i) {
    const auto batch = loader.take(0, i);
    evaluator->add(batch, network.forward(batch.images));
  }
  return evaluator->finish();
}

}  // namespace auxbench
