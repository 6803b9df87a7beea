#include "runner/batch.h"

#include "base/torch_prelude.h"

namespace auxbench {

Batch load_batch(EpochLoader& loader, const Dataset& data, int64_t epoch, int64_t index,
                 const ExperimentOptions& options) {
  const auto count = loader.batch_size(index);
  const auto& images = data.train;
  auto pixels = at::empty({count, images.channels, images.height, images.width}, at::kFloat);
  auto labels = at::empty({count}, at::kLong);
  loader.fill(epoch, index, {pixels.mutable_data_ptr<float>(), static_cast<size_t>(pixels.numel())},
              {labels.mutable_data_ptr<int64_t>(), static_cast<size_t>(count)});
  return {.images = pixels.to(options.device, options.type), .labels = labels.to(options.device)};
}

}  // namespace auxbench
