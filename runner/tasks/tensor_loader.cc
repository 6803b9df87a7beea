#include "runner/tasks/tensor_loader.h"

#include <algorithm>
#include <utility>

#include "base/parallel.h"
#include "base/torch_prelude.h"

namespace auxbench {
namespace {

LoaderOptions with_workers(LoaderOptions options, const ImageSource& images, const ComputeOptions& where) {
  if (where.workers)
    options.workers = *where.workers;
  else if (!images.in_memory() || !where.device.is_cpu())
    options.workers = where.processors > 0 ? where.processors : available_threads();
  return options;
}

BatchMaker tensor_maker(ImageShape shape, bool pinned) {
  return [=](int64_t count, size_t) {
    const auto like = [pinned](at::ScalarType type) { return at::TensorOptions().dtype(type).pinned_memory(pinned); };
    auto tensors = std::make_shared<TensorBatch>();
    tensors->images = at::empty({count, shape.channels, shape.height, shape.width}, like(at::kFloat));
    tensors->targets.labels = at::empty({count}, like(at::kLong));
    auto &images = tensors->images, &labels = tensors->targets.labels;
    return Batch{.images = {images.mutable_data_ptr<float>(), static_cast<size_t>(images.numel())},
                 .labels = {labels.mutable_data_ptr<int64_t>(), static_cast<size_t>(count)},
                 .owner = tensors};
  };
}

}  // namespace

TensorLoader::TensorLoader(Images images, LoaderOptions options, const ComputeOptions& where)
    : where_(where),
      loader_(images, with_workers(std::move(options), *images, where),
              tensor_maker(images->shape(), where.device.is_cuda())) {}

TensorBatch TensorLoader::take(int64_t epoch, int64_t batch_index) {
  const auto batch = loader_.take(epoch, batch_index);
  const auto& tensors = *std::static_pointer_cast<TensorBatch>(batch.owner);
  return {.images = tensors.images.to(where_.device, where_.type, /*non_blocking=*/true),
          .targets = {.labels = tensors.targets.labels.to(where_.device, /*non_blocking=*/true)}};
}

Targets targets_of(std::span<const int64_t> labels) {
  auto tensor = at::empty({std::ssize(labels)}, at::kLong);
  std::copy(labels.begin(), labels.end(), tensor.mutable_data_ptr<int64_t>());
  return {.labels = tensor};
}

TensorBatch without_images(const Batch& batch) {
  return {.images = {}, .targets = targets_of(batch.labels), .infos = batch.boxed};
}

DataShape shape_of(const Dataset& data) {
  return {.channels = data.test->shape().channels, .classes = data.test->classes()};
}

}  // namespace auxbench
