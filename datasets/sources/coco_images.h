// COCO's images with their boxes (coco_folder.h) as a source, from COCO's own files or generated ones.
//
// An image is resized as Detectron2 does it (transforms.h, resize_shorter_side): the shorter side to `size`, the longer
// one to longest_side(size) at most, Pillow's bilinear; then normalised as photographs are: red, green, blue by
// ImageNet's mean and deviation. (Detectron2's own files of weights that come from Caffe want another order and scale;
// those from torchvision want this one.) `flip` mirrors one in two, boxes too; `short-side` draws the size, while the
// longer side's limit stays. Other augmentations are refused.
//
// A box is scaled by each side's own ratio, mirrored, and cut off at the image's edges, in double; then rounded to float.
// One is dropped where a side of what is left is 1e-5 pixels or less, in the file's or the network's.
//
// For training crowds are dropped, and so are images that are left without a box (Detectron2 keeps those of degenerate
// boxes alone). For evaluation every image stays, and look() has crowds too. Images keep the order of the file.
//
// Where all images of the split, resized, take kKeptBytes or less, each is decoded once and its bytes are kept for as
// long as the source lives; otherwise, and for a size that short-side drew, the file is read each time.
#pragma once

#include <cstdint>

#include "datasets/sources/coco_folder.h"
#include "datasets/sources/image_source.h"

namespace auxbench {

inline constexpr int64_t kKeptBytes = int64_t{256} << 20;

struct CocoImagesOptions {
  int64_t size = 800;  // of the shorter side, in pixels
  bool training = false;
  int64_t kept_bytes = kKeptBytes;
};

// How many images are left for training.
int64_t count_for_training(const CocoSplit& split);

// Throws UserError(data_missing): a file that the annotations name is missing or empty; nothing is left of the images;
// and when an image is asked for, naming its file: it cannot be decoded, its size is not what the annotations say, or its
// length not what it was.
Images coco_images(CocoSplit split, const CocoImagesOptions& options);

}  // namespace auxbench
