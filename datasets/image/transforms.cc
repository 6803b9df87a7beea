#include "datasets/image/transforms.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/check.h"
#include "base/error.h"
#include "datasets/image/augment.h"
#include "datasets/image/resize.h"

namespace auxbench {
namespace {

constexpr int64_t kShort = 256, kCocoShort = 800, kCocoLong = 1333;
constexpr int64_t kLongest = 1000;  // long side over short side
constexpr std::array<float, kColours> kMean = {0.485F, 0.456F, 0.406F}, kStd = {0.229F, 0.224F, 0.225F};

// Half of an odd rest goes to the even side, as Python rounds.
Box centre_of(int64_t width, int64_t height, int64_t size) {
  const auto begin = [size](int64_t side) {
    return static_cast<int64_t>(std::nearbyint(static_cast<double>(side - size) / 2));
  };
  return {.left = begin(width), .top = begin(height), .width = size, .height = size};
}

Box whole_of(const Raster& raster) { return {.width = raster.width, .height = raster.height}; }

// A strip of one pixel's width would become a picture that no memory holds.
void check_shape(const Raster& raster) {
  if (std::max(raster.width, raster.height) / std::min(raster.width, raster.height) > kLongest)
    throw UserError(ExitCode::data_missing, "an image of " + std::to_string(raster.width) + " x " +
                                                std::to_string(raster.height) + " pixels: longer than " +
                                                std::to_string(kLongest) + " times its width");
}

void mirror(Raster& raster) {
  for (int64_t y = 0; y < raster.height; ++y) {
    uint8_t* line = raster.row(y);
    for (int64_t left = 0, right = raster.width - 1; left < right; ++left, --right)
      std::swap_ranges(line + left * 3, line + left * 3 + 3, line + right * 3);
  }
}

Raster imagenet_eval(const Raster& raster, RandomStream&) {
  check_shape(raster);
  const auto longer = kShort * std::max(raster.width, raster.height) / std::min(raster.width, raster.height);
  const auto width = raster.width <= raster.height ? kShort : longer;
  const auto height = raster.width <= raster.height ? longer : kShort;
  return resize_part(raster, whole_of(raster), width, height, centre_of(width, height, kPhotoSide));
}

Raster imagenet_eval_square(const Raster& raster, RandomStream&) {
  return resize_part(raster, whole_of(raster), kShort, kShort, centre_of(kShort, kShort, kPhotoSide));
}

Raster random_box(const Raster& raster, RandomStream& stream) {
  const auto warp = draw_warp({.random_resized_crop = true}, raster.height, raster.width, stream);
  const Box from = {.left = warp.left, .top = warp.top, .width = warp.width, .height = warp.height};
  return resize_part(raster, from, kPhotoSide, kPhotoSide, {.width = kPhotoSide, .height = kPhotoSide});
}

Raster random_part_of_square(const Raster& raster, RandomStream& stream) {
  const auto rest = static_cast<uint64_t>(kShort - kPhotoSide) + 1;
  const auto top = static_cast<int64_t>(stream.below(rest)), left = static_cast<int64_t>(stream.below(rest));
  return resize_part(raster, whole_of(raster), kShort, kShort,
                     {.left = left, .top = top, .width = kPhotoSide, .height = kPhotoSide});
}

Raster imagenet_train(const Raster& raster, RandomStream& stream) {
  return augment_photo(raster, {.random_resized_crop = true, .flip = true}, stream);
}

Raster imagenet_train_square(const Raster& raster, RandomStream& stream) {
  return augment_photo(raster, {.flip = true, .square_crop = true}, stream);
}

// Detectron2's ResizeShortestEdge.
Raster coco_eval(const Raster& raster, RandomStream&) {
  double height = static_cast<double>(raster.height), width = static_cast<double>(raster.width);
  const double scale = static_cast<double>(kCocoShort) / std::min(height, width);
  if (height < width) {
    height = static_cast<double>(kCocoShort);
    width = scale * width;
  } else {
    height = scale * height;
    width = static_cast<double>(kCocoShort);
  }
  if (std::max(height, width) > static_cast<double>(kCocoLong)) {
    const double less = static_cast<double>(kCocoLong) / std::max(height, width);
    height *= less;
    width *= less;
  }
  // A strip thinner than one pixel keeps one.
  const auto rounded = [](double side) { return std::max<int64_t>(1, static_cast<int64_t>(side + 0.5)); };
  return resize(raster, rounded(width), rounded(height));
}

constexpr std::array kTransforms = {
    PhotoTransform{"imagenet-eval", imagenet_eval}, PhotoTransform{"imagenet-eval-square", imagenet_eval_square},
    PhotoTransform{"imagenet-train", imagenet_train}, PhotoTransform{"imagenet-train-square", imagenet_train_square},
    PhotoTransform{"coco-eval", coco_eval}};

}  // namespace

void check_photo_augmentation(const Augmentation& augmentation) {
  if (augmentation.pad_crop || (augmentation.random_resized_crop && augmentation.square_crop))
    throw UserError(
        ExitCode::invalid_suite,
        "augment: photographs take random-resized-crop or square-crop, and flip; not pad-crop, not both crops");
}

Raster augment_photo(const Raster& raster, const Augmentation& augmentation, RandomStream& stream) {
  auto result = augmentation.random_resized_crop ? random_box(raster, stream)
                : augmentation.square_crop       ? random_part_of_square(raster, stream)
                                                 : imagenet_eval(raster, stream);
  if (augmentation.flip && stream.below(2) == 1) mirror(result);
  return result;
}

std::span<const PhotoTransform> photo_transforms() { return kTransforms; }

const PhotoTransform& find_photo_transform(std::string_view name) {
  std::string all;
  for (const auto& transform : kTransforms) {
    if (transform.name == name) return transform;
    all += (all.empty() ? "" : ", ") + std::string(transform.name);
  }
  throw UserError(ExitCode::usage, std::string(name) + ": no such transform, only " + all);
}

void write_normalised(const Raster& raster, std::span<float> out, bool channels_last) {
  const size_t pixels = raster.rgb.size() / kColours;
  AUXBENCH_CHECK(out.size() == raster.rgb.size(), "three floats a pixel");
  for (size_t c = 0; c < kColours; ++c) {
    const auto levels = normalisation_levels(kMean[c], kStd[c]);
    float* own = out.data() + (channels_last ? c : c * pixels);
    const size_t step = channels_last ? kColours : 1;
    for (size_t i = 0; i < pixels; ++i) own[i * step] = levels[raster.rgb[i * kColours + c]];
  }
}

}  // namespace auxbench
