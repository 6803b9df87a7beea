#include "datasets/image/transforms.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/check.h"
#include "base/error.h"
#include "datasets/image/decode.h"

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

Resizing imagenet_eval(int64_t width, int64_t height, const std::string& place, RandomStream&) {
  check_photo_shape(width, height, place);
  const auto longer = kShort * std::max(width, height) / std::min(width, height);
  const auto to_width = width <= height ? kShort : longer, to_height = width <= height ? longer : kShort;
  return {.from = {.width = width, .height = height},
          .width = to_width,
          .height = to_height,
          .part = centre_of(to_width, to_height, kPhotoSide)};
}

Resizing imagenet_eval_square(int64_t width, int64_t height, const std::string&, RandomStream&) {
  return {.from = {.width = width, .height = height},
          .width = kShort,
          .height = kShort,
          .part = centre_of(kShort, kShort, kPhotoSide)};
}

Resizing random_box(int64_t width, int64_t height, RandomStream& stream) {
  const auto warp = draw_warp({.random_resized_crop = true}, height, width, stream);
  return {.from = {.left = warp.left, .top = warp.top, .width = warp.width, .height = warp.height},
          .width = kPhotoSide,
          .height = kPhotoSide,
          .part = {.width = kPhotoSide, .height = kPhotoSide}};
}

Resizing random_part_of_square(int64_t width, int64_t height, RandomStream& stream) {
  const auto rest = static_cast<uint64_t>(kShort - kPhotoSide) + 1;
  const auto top = static_cast<int64_t>(stream.below(rest)), left = static_cast<int64_t>(stream.below(rest));
  return {.from = {.width = width, .height = height},
          .width = kShort,
          .height = kShort,
          .part = {.left = left, .top = top, .width = kPhotoSide, .height = kPhotoSide}};
}

Resizing imagenet_train(int64_t width, int64_t height, const std::string& place, RandomStream& stream) {
  return augmented_view(width, height, {.random_resized_crop = true, .flip = true}, place, stream);
}

Resizing imagenet_train_square(int64_t width, int64_t height, const std::string& place, RandomStream& stream) {
  return augmented_view(width, height, {.flip = true, .square_crop = true}, place, stream);
}

Resizing coco_eval(int64_t width, int64_t height, const std::string&, RandomStream&) {
  return resize_shorter_side(width, height, kCocoShort, kCocoLong);
}

constexpr std::array kTransforms = {
    PhotoTransform{"imagenet-eval", imagenet_eval}, PhotoTransform{"imagenet-eval-square", imagenet_eval_square},
    PhotoTransform{"imagenet-train", imagenet_train}, PhotoTransform{"imagenet-train-square", imagenet_train_square},
    PhotoTransform{"coco-eval", coco_eval}};

// Pixel i to to[i * step], its colours `plane` apart.
void write_pixels(const uint8_t* from, size_t pixels, std::ptrdiff_t step, size_t plane, float* to) {
  static const std::array<Levels, kColours> kLevels = {normalisation_levels(kMean[0], kStd[0]),
                                                       normalisation_levels(kMean[1], kStd[1]),
                                                       normalisation_levels(kMean[2], kStd[2])};
  for (size_t i = 0; i < pixels; ++i, from += kColours) {
    float* pixel = to + static_cast<std::ptrdiff_t>(i) * step;
    for (size_t c = 0; c < kColours; ++c) pixel[c * plane] = kLevels[c][from[c]];
  }
}

template <typename View>
Raster seen(std::string_view bytes, const std::string& place, const View& view) {
  Resizing resizing;
  const auto part = decode_part(bytes, place, [&](int64_t width, int64_t height) {
    resizing = view(width, height);
    return pixels_needed(resizing);
  });
  return resize_part(part.pixels, part.box, resizing);
}

}  // namespace

int64_t longest_side(int64_t size) { return size * kCocoLong / kCocoShort; }

Resizing resize_shorter_side(int64_t from_width, int64_t from_height, int64_t shorter, int64_t longest) {
  double height = static_cast<double>(from_height), width = static_cast<double>(from_width);
  const double scale = static_cast<double>(shorter) / std::min(height, width);
  if (height < width) {
    height = static_cast<double>(shorter);
    width = scale * width;
  } else {
    height = scale * height;
    width = static_cast<double>(shorter);
  }
  if (std::max(height, width) > static_cast<double>(longest)) {
    const double less = static_cast<double>(longest) / std::max(height, width);
    height *= less;
    width *= less;
  }
  // A strip thinner than one pixel keeps one.
  const auto rounded = [](double side) { return std::max<int64_t>(1, half_up(side)); };
  const Box whole = {.width = rounded(width), .height = rounded(height)};
  return {.from = {.width = from_width, .height = from_height},
          .width = whole.width,
          .height = whole.height,
          .part = whole};
}

void check_photo_augmentation(const Augmentation& augmentation) {
  refuse_short_side(augmentation);
  if (augmentation.pad_crop || (augmentation.random_resized_crop && augmentation.square_crop))
    throw UserError(
        ExitCode::invalid_suite,
        "augment: photographs take random-resized-crop or square-crop, and flip; not pad-crop, not both crops");
}

void check_photo_shape(int64_t width, int64_t height, const std::string& place) {
  if (std::max(width, height) / std::min(width, height) > kLongest)
    refuse_data(place, "a strip of " + std::to_string(width) + " x " + std::to_string(height) +
                           " pixels: longer than " + std::to_string(kLongest) + " times its width");
}

Resizing augmented_view(int64_t width, int64_t height, const Augmentation& augmentation, const std::string& place,
                        RandomStream& stream) {
  auto view = augmentation.random_resized_crop ? random_box(width, height, stream)
              : augmentation.square_crop       ? random_part_of_square(width, height, stream)
                                               : imagenet_eval(width, height, place, stream);
  view.mirrored = augmentation.flip && stream.below(2) == 1;
  return view;
}

Raster see_photo(std::string_view bytes, const std::string& place, PhotoView view, RandomStream& stream) {
  return seen(bytes, place, [&](int64_t width, int64_t height) { return view(width, height, place, stream); });
}

Raster see_photo(std::string_view bytes, const std::string& place, const Augmentation& augmentation,
                 RandomStream& stream) {
  return seen(bytes, place, [&](int64_t width, int64_t height) {
    return augmented_view(width, height, augmentation, place, stream);
  });
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
  AUXBENCH_CHECK(out.size() == raster.rgb.size(), "three floats a pixel");
  const size_t pixels = raster.rgb.size() / kColours;
  const std::ptrdiff_t step = channels_last ? kColours : 1;
  write_pixels(raster.rgb.data(), pixels, step, channels_last ? 1 : pixels, out.data());
}

void write_padded(const Raster& raster, bool mirrored, int64_t width, int64_t height, std::span<float> out,
                  bool channels_last) {
  AUXBENCH_CHECK(raster.width <= width && raster.height <= height, "room for the image");
  const auto pixels = static_cast<size_t>(width * height), row = static_cast<size_t>(width);
  AUXBENCH_CHECK(out.size() == kColours * pixels, "three floats a pixel");
  const auto used = static_cast<size_t>(raster.width);
  const size_t planes = channels_last ? 1 : kColours, step = channels_last ? kColours : 1;
  const auto zero = [&](size_t y, size_t from) {
    for (size_t plane = 0; plane < planes; ++plane) {
      float* line = out.data() + (plane * pixels + y * row) * step;
      std::fill(line + from * step, line + row * step, 0.0F);
    }
  };
  for (int64_t y = 0; y < height; ++y) {
    const auto at = static_cast<size_t>(y);
    zero(at, y < raster.height ? used : 0);
    if (y >= raster.height) continue;
    float* first = out.data() + (at * row + (mirrored ? used - 1 : 0)) * step;
    const auto towards = static_cast<std::ptrdiff_t>(step) * (mirrored ? -1 : 1);
    write_pixels(raster.row(y), used, towards, channels_last ? 1 : pixels, first);
  }
}

}  // namespace auxbench
