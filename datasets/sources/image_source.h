// Images of one split, one at a time, as the floats that a network reads. Where they come from (memory, files) and what
// makes floats of them is the source's own affair.
//
// Images have either a label each and all one size, or boxes, and then each a size of its own (boxed()).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/random.h"
#include "datasets/image/augment.h"
#include "datasets/image/raster.h"
#include "datasets/sources/boxed_image.h"

namespace auxbench {

struct CocoTruth;  // metrics/coco_eval.h

// Of every image that a source hands out; of a boxed source, of a batch that could hold any of them: each is as large as
// this or smaller.
struct ImageShape {
  int64_t channels = 1, height = 0, width = 0;

  [[nodiscard]] size_t size() const { return static_cast<size_t>(channels * height * width); }
  bool operator==(const ImageShape&) const = default;
};

class ImageSource {
 public:
  virtual ~ImageSource() = default;

  [[nodiscard]] virtual int64_t count() const = 0;
  [[nodiscard]] virtual int64_t classes() const = 0;
  [[nodiscard]] virtual ImageShape shape() const = 0;
  [[nodiscard]] virtual int64_t label(size_t index) const = 0;  // in [0, classes); LogicFault for boxed images

  // Images of one class stand together: a part of the source takes them evenly from all over it.
  [[nodiscard]] virtual bool by_class() const { return false; }
  // Whether an image costs so little (microseconds) that threads would not pay.
  [[nodiscard]] virtual bool in_memory() const { return false; }

  // What follows is of boxed sources; for others it is a LogicFault, or nothing.
  [[nodiscard]] virtual bool boxed() const { return false; }
  // What write() makes of image `index` where the stream is in the same state; no file is opened for it. Thread-safe.
  [[nodiscard]] virtual BoxedImage look(size_t index, const Augmentation& augmentation, RandomStream& stream) const;
  // What the images are evaluated against, crowds and all, in the files' pixels: images[i] is image i of this source, and
  // nothing is of another image. Null for a source without boxes; lives as long as the source.
  [[nodiscard]] virtual const CocoTruth* truth() const { return nullptr; }
  [[nodiscard]] virtual int64_t category(int64_t label) const;  // the id that the truth has for a label
  // write() into the upper left corner of `size`, which has room for the image; zeros at its right and below it.
  virtual void write_padded(size_t index, const Augmentation& augmentation, RandomStream& stream,
                            const ImageShape& size, bool channels_last, std::span<float> out) const;

  // Throws UserError(invalid_suite) for an augmentation that these images cannot have.
  virtual void check_augmentation(const Augmentation& augmentation) const = 0;

  // Writes image `index`, normalised: channels x height x width floats, or height x width x channels. Without
  // augmentation as it is evaluated; chance comes from the stream alone. Thread-safe. Throws UserError(data_missing)
  // naming the file when the image cannot be read.
  // Of a boxed source `out` has the size that look() tells.
  virtual void write(size_t index, const Augmentation& augmentation, RandomStream& stream, bool channels_last,
                     std::span<float> out) const = 0;

  // Image `index` for people, as it is evaluated: bytes before they were normalised. Unless a source knows better, what
  // write() gives, each image stretched from its least value to its greatest. Throws as write().
  [[nodiscard]] virtual Raster picture(size_t index) const;
};

using Images = std::shared_ptr<const ImageSource>;

// `count` of the images; all of them when it is 0 or more than there are. The first ones, or one in every so many where
// they stand by class. The truth of a part is the part's.
Images part_of(Images images, int64_t count);

}  // namespace auxbench
