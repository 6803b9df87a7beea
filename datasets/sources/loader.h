// Batches of normalised floats, made ahead of their use by worker threads.
//
// The position in training is (epoch, batch) and nothing else: the order of an epoch and every augmentation follow from
// (seed, epoch, index of the image in its source), never from the number of workers or from what was asked for before.
// A run resumed at any position sees the very same floats.
//
// Images are written straight into the batch's memory, which the caller makes: pinned for a GPU, say. At most `ahead`
// batches that were not asked for yet exist at a time.
//
// Images with boxes have sizes of their own: those of a batch are padded with zeros, at the right and below, to the least
// multiples of 32 that hold them all. When an epoch is shuffled, images that are wider than high and the others go into
// separate batches, as in Detectron2 and torchvision: a batch stands where its last image stands in the shuffled order.
// What is left of the two, fewer than a batch of each, makes up the last batches, first what is wider than high; so there
// are as many batches as without groups, all full but the last one, and one may hold both.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "datasets/image/augment.h"
#include "datasets/sources/image_source.h"

namespace auxbench {

struct LoaderOptions {
  int64_t batch = 256;  // images
  int64_t seed = 0;
  std::vector<std::string> augment = {};  // names of datasets/image/augment.h
  bool shuffle = true;                    // false: in the source's order
  bool channels_last = false;             // N H W C instead of N C H W
  int workers = 0;                        // threads; 0: the caller's own, when it asks
  int64_t ahead = 2;                      // batches
  int64_t epochs = 0;                     // after which nothing is made ahead; 0: no end
};

struct Batch {
  std::span<float> images;        // batch_size x channels x height x width
  std::span<int64_t> labels;      // batch_size; zeros of images with boxes
  std::vector<BoxedImage> boxed;  // batch_size of images with boxes, else none
  int64_t height = 0, width = 0;  // of each image, padding included
  std::shared_ptr<void> owner;    // of images and labels
};

// Memory for a batch of so many images of this size: spans of these very sizes, kept by `owner`. Called by the thread
// that calls take().
using BatchMaker = std::function<Batch(int64_t images, const ImageShape& shape)>;
Batch batch_on_heap(int64_t images, const ImageShape& shape);

// For one thread at a time. The last batch of an epoch is smaller when `batch` does not divide the images.
class BatchLoader {
 public:
  // Throws UserError(invalid_suite) for an unknown augmentation, one that the images cannot have, or a batch below one.
  BatchLoader(Images images, const LoaderOptions& options, BatchMaker maker = batch_on_heap);
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  [[nodiscard]] int64_t batches() const;                        // in an epoch
  [[nodiscard]] int64_t batch_size(int64_t batch_index) const;  // images in this batch

  // The batch's images by their index in the source.
  std::vector<uint32_t> indices(int64_t epoch, int64_t batch_index);

  // Waits for the batch; work on those after it has begun. A position that does not follow the last one costs what was
  // made ahead. Throws what the source threw (UserError naming the file); the next position can be asked for then.
  Batch take(int64_t epoch, int64_t batch_index);

 private:
  struct Position {
    int64_t epoch = 0, batch = 0;
    bool operator==(const Position&) const = default;
  };
  struct Task;
  class Crew;
  [[nodiscard]] std::vector<uint32_t> order_of(int64_t epoch) const;
  [[nodiscard]] RandomStream stream_of(const Position& position, size_t index) const;
  [[nodiscard]] std::shared_ptr<Task> begin_task(const Position& position);
  void write_image(const Task& task, size_t i) const;
  void make_ahead(size_t count);

  Images images_;
  LoaderOptions options_;
  Augmentation augmentation_;
  BatchMaker maker_;
  int64_t ordered_epoch_ = -1;  // whose order_ this is
  std::vector<uint32_t> order_;
  Position next_;               // not begun yet
  std::unique_ptr<Crew> crew_;  // none without workers
};

}  // namespace auxbench
