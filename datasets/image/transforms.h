// From a photograph to what a network sees, as torchvision and Detectron2 do it with Pillow's bilinear resize, bit for
// bit (resize.h).
//
//   imagenet-eval           short side to 256 (the long one cut to a whole number), centre 224 x 224
//   imagenet-eval-square    to 256 x 256 whatever the shape, centre 224 x 224: the paper's own recipe
//   imagenet-train          a random box (torchvision's random-resized-crop) to 224 x 224, mirrored one in two
//   imagenet-train-square   to 256 x 256, a random 224 x 224, mirrored one in two: the paper's own recipe
//   coco-eval               short side to 800, long side at most 1333 (both rounded half up)
// then for all (p / 255 - mean) / std with ImageNet's .485 .456 .406 and .229 .224 .225 for red, green and blue.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/random.h"
#include "datasets/image/augment.h"
#include "datasets/image/raster.h"
#include "datasets/image/resize.h"

namespace auxbench {

inline constexpr int64_t kPhotoSide = 224;  // of what the imagenet transforms make

// What is made of a photograph of some size that lies at `place`. Chance, where there is any, comes from the stream.
// Throws UserError(data_missing) naming the place as check_photo_shape does.
using PhotoView = Resizing (*)(int64_t width, int64_t height, const std::string& place, RandomStream& stream);

struct PhotoTransform {
  std::string_view name;
  PhotoView view;
};

std::span<const PhotoTransform> photo_transforms();

// Throws UserError(usage) naming those there are.
const PhotoTransform& find_photo_transform(std::string_view name);

// Detectron2's ResizeShortestEdge: the shorter side becomes `shorter`, or as much less as keeps the longer one to
// `longest`; sides are int(x + .5), and at least 1. All of the image, not mirrored.
Resizing resize_shorter_side(int64_t width, int64_t height, int64_t shorter, int64_t longest);

// What 1333 is to 800: the most of the longer side where the shorter one is to be `size`, in whole pixels.
int64_t longest_side(int64_t size);

// A strip is refused that is more than a thousand times as long as wide: imagenet-eval would make 256,000 pixels of its
// length, and look at 224 of them.
void check_photo_shape(int64_t width, int64_t height, const std::string& place);

// imagenet-train is {random_resized_crop, flip}, imagenet-train-square {square_crop, flip}, imagenet-eval none. Flip is
// a matter of its own; two crops at once, and pad_crop, are refused.
void check_photo_augmentation(const Augmentation& augmentation);  // throws UserError(invalid_suite)
Resizing augmented_view(int64_t width, int64_t height, const Augmentation& augmentation, const std::string& place,
                        RandomStream& stream);

// What the view shows of the photograph in these bytes, of which only that is decoded. Throw as decode_image.
Raster see_photo(std::string_view bytes, const std::string& place, PhotoView view, RandomStream& stream);
Raster see_photo(std::string_view bytes, const std::string& place, const Augmentation& augmentation,
                 RandomStream& stream);

// out: 3 x height x width floats, or height x width x 3 where channels_last.
void write_normalised(const Raster& raster, std::span<float> out, bool channels_last = false);

// The same into the upper left corner of width x height pixels, left to right or mirrored; zeros at its right and below.
void write_padded(const Raster& raster, bool mirrored, int64_t width, int64_t height, std::span<float> out,
                  bool channels_last = false);

}  // namespace auxbench
