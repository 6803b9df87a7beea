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

BatchMaker tensor_maker(bool pinned) {
  return [=](int64_t count, const ImageShape& shape) {
    const auto like = [pinned](at::ScalarType type) { return at::TensorOptions().dtype(type).pinned_memory(pinned); };
    auto tensors = std::make_shared<TensorBatch>();
    tensors->images = at::empty({count, shape.channels, shape.height, shape.width}, like(at::kFloat));
    auto labels = at::empty({count}, like(at::kLong));
    auto& images = tensors->images;
    Batch batch = {.images = {images.mutable_data_ptr<float>(), static_cast<size_t>(images.numel())},
                   .labels = {labels.mutable_data_ptr<int64_t>(), static_cast<size_t>(count)},
                   .boxed = {},
                   .owner = tensors};
    tensors->targets.labels = std::move(labels);
    return batch;
  };
}

}  // namespace

TensorLoader::TensorLoader(Images images, LoaderOptions options, const ComputeOptions& where)
    : where_(where),
      boxed_(images->boxed()),
      loader_(images, with_workers(std::move(options), *images, where), tensor_maker(where.device.is_cuda())) {}

TensorBatch TensorLoader::take(int64_t epoch, int64_t batch_index) {
  auto batch = loader_.take(epoch, batch_index);
  const auto& tensors = *std::static_pointer_cast<TensorBatch>(batch.owner);
  TensorBatch taken = {.images = tensors.images.to(where_.device, where_.type, /*non_blocking=*/true),
                       .targets = {},
                       .infos = std::move(batch.boxed)};
  if (!boxed_) taken.targets.labels = tensors.targets.labels.to(where_.device, /*non_blocking=*/true);
  for (const auto& image : taken.infos) add_targets(image, taken.targets);
  return taken;
}

void add_targets(const BoxedImage& image, Targets& targets) {
  std::vector<float> corners;
  std::vector<int64_t> classes;
  for (const auto& box : image.boxes) {
    if (box.crowd) continue;
    corners.insert(corners.end(), {box.x0, box.y0, box.x1, box.y1});
    classes.push_back(box.label);
  }
  const auto count = std::ssize(classes);
  targets.boxes.push_back(at::tensor(corners, at::kFloat).view({count, 4}));
  targets.classes.push_back(at::tensor(classes, at::kLong));
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
