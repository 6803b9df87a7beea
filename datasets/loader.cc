#include "datasets/loader.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/error.h"

namespace auxbench {
namespace {

Warp unchanged(const ImageSet& images) {
  Warp warp;
  warp.height = images.height;
  warp.width = images.width;
  return warp;
}

// `out` holds one image.
void write_image(const ImageSet& images, size_t index, const Warp& warp, const Levels& levels, bool channels_last,
                 std::span<float> out) {
  const auto channels = static_cast<size_t>(images.channels);
  const size_t step = channels_last ? channels : 1;
  const size_t stride = channels_last ? 1 : images.plane_size();
  for (size_t channel = 0; channel < channels; ++channel) {
    const auto plane = images.plane(index, channel);
    write_plane(plane, images.height, images.width, warp, levels, out.subspan(channel * stride), step);
  }
}

}  // namespace

EpochLoader::EpochLoader(const Dataset& data, const LoaderOptions& options)
    : data_(data),
      options_(options),
      augmentation_(parse_augmentation(options.augment)),
      levels_(normalisation_levels(data.mean, data.std)) {
  if (options.batch < 1)
    throw UserError(ExitCode::invalid_suite, "batch: " + std::to_string(options.batch) + " images, use 1 or more");
  check_image_set(data.train);
  AUXBENCH_CHECK(data.train.count <= std::numeric_limits<uint32_t>::max(), "fewer than 2^32 images");
}

int64_t EpochLoader::batches() const {
  const auto count = data_.train.count;
  return count / options_.batch + (count % options_.batch != 0 ? 1 : 0);
}

int64_t EpochLoader::batch_size(int64_t batch_index) const {
  AUXBENCH_CHECK(batch_index >= 0 && batch_index < batches(), "a batch of the epoch");
  return std::min(options_.batch, data_.train.count - batch_index * options_.batch);
}

std::span<const uint32_t> EpochLoader::indices(int64_t epoch, int64_t batch_index) {
  AUXBENCH_CHECK(epoch >= 0, "an epoch from 0 on");
  const auto size = static_cast<size_t>(batch_size(batch_index));
  if (epoch != ordered_epoch_) {
    order_ = permutation(static_cast<uint32_t>(data_.train.count),
                         stream_seed(options_.seed, "shuffle", static_cast<uint64_t>(epoch)));
    ordered_epoch_ = epoch;
  }
  return std::span(order_).subspan(static_cast<size_t>(batch_index * options_.batch), size);
}

void EpochLoader::fill(int64_t epoch, int64_t batch_index, std::span<float> images, std::span<int64_t> labels) {
  const auto& train = data_.train;
  const auto batch = indices(epoch, batch_index);
  const size_t size = train.image_size();
  AUXBENCH_CHECK(labels.size() == batch.size() && images.size() == batch.size() * size, "room for one batch");
  for (size_t i = 0; i < batch.size(); ++i) {
    const size_t index = batch[i];
    RandomStream stream(stream_seed(options_.seed, "augment", static_cast<uint64_t>(epoch), index));
    const auto warp = draw_warp(augmentation_, train.height, train.width, stream);
    write_image(train, index, warp, levels_, options_.channels_last, images.subspan(i * size, size));
    labels[i] = train.labels[index];
  }
}

void fill_in_order(const Dataset& data, const ImageSet& images, int64_t first, std::span<float> pixels,
                   std::span<int64_t> labels, bool channels_last) {
  const size_t size = images.image_size();
  AUXBENCH_CHECK(first >= 0 && first + std::ssize(labels) <= images.count, "images there are");
  AUXBENCH_CHECK(pixels.size() == labels.size() * size, "room for the images");
  const auto levels = normalisation_levels(data.mean, data.std);
  const auto warp = unchanged(images);
  for (size_t i = 0; i < labels.size(); ++i) {
    const size_t index = static_cast<size_t>(first) + i;
    write_image(images, index, warp, levels, channels_last, pixels.subspan(i * size, size));
    labels[i] = images.labels[index];
  }
}

}  // namespace auxbench
