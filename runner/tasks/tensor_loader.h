// Batches as tensors where a cell computes.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <optional>
#include <span>

#include "datasets/dataset.h"
#include "datasets/sources/loader.h"
#include "runner/tasks/task.h"

namespace auxbench {

struct ComputeOptions {
  c10::Device device{c10::kCPU};
  c10::ScalarType type = c10::ScalarType::Float;
  std::optional<int> workers;  // threads that load images; none: chosen by the loader. No number depends on it.
  int processors = 0;          // that the loader may choose as many threads as; 0: all that this process may use
};

// A BatchLoader (datasets/sources/loader.h) whose batches are tensors, images of the type computed in. For a GPU they
// are made in pinned memory and copied while it computes. Unless the options say how many workers: none for images in
// memory on the CPU, where they would only take time from the network; else one for each processor it may keep busy.
//
// Of images with boxes a batch has no labels, but for each image the corners and classes of its boxes, [0, 4] and [0]
// where it has none, and what is known of it (infos), crowds included, which are no targets.
class TensorLoader {
 public:
  TensorLoader(Images images, LoaderOptions options, const ComputeOptions& where);

  [[nodiscard]] int64_t batches() const { return loader_.batches(); }
  TensorBatch take(int64_t epoch, int64_t batch_index);

 private:
  ComputeOptions where_;
  bool boxed_;
  BatchLoader loader_;
};

// Targets from what a BatchLoader hands out beside the images, in memory of their own.
Targets targets_of(std::span<const int64_t> labels);

// Adds an image's corners and classes; its crowds are for evaluation alone.
void add_targets(const BoxedImage& image, Targets& targets);

// What an evaluator reads beside a network's outputs: no images, and of images with boxes what is known of each.
TensorBatch without_images(const Batch& batch);

DataShape shape_of(const Dataset& data);

}  // namespace auxbench
