// Batches of normalised floats from images in memory.
//
// The position in training is (epoch, batch) and nothing else: the order of an epoch and every augmentation follow from
// (seed, epoch, index of the image in its file). A resumed run sees the very same floats. Not thread-safe: one loader
// for each thread; two loaders of the same options give the same batches.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "datasets/augment.h"
#include "datasets/dataset.h"

namespace auxbench {

struct LoaderOptions {
  int64_t batch = 256;  // images
  int64_t seed = 0;
  std::vector<std::string> augment = {};  // names of datasets/augment.h
  bool channels_last = false;             // N H W C instead of N C H W
};

// Training batches. Each image comes once an epoch; the last batch is smaller when `batch` does not divide the images.
class EpochLoader {
 public:
  // Keeps a reference to `data`. Throws UserError(invalid_suite) for an unknown augmentation or a batch below one.
  EpochLoader(const Dataset& data, const LoaderOptions& options);

  [[nodiscard]] int64_t batches() const;                        // in an epoch
  [[nodiscard]] int64_t batch_size(int64_t batch_index) const;  // images in this batch

  // The batch's images by their index in the file.
  std::span<const uint32_t> indices(int64_t epoch, int64_t batch_index);

  // `images`: batch_size x channels x height x width floats, `labels`: batch_size. Exactly these sizes.
  void fill(int64_t epoch, int64_t batch_index, std::span<float> images, std::span<int64_t> labels);

 private:
  const Dataset& data_;
  LoaderOptions options_;
  Augmentation augmentation_;
  Levels levels_;
  int64_t ordered_epoch_ = -1;  // whose order_ this is
  std::vector<uint32_t> order_;
};

// Evaluation batches: labels.size() images from `first` on, in file order, normalised, never augmented. `images` is
// data.train or data.test; `pixels` holds as many floats as these images have pixels.
void fill_in_order(const Dataset& data, const ImageSet& images, int64_t first, std::span<float> pixels,
                   std::span<int64_t> labels, bool channels_last = false);

}  // namespace auxbench
