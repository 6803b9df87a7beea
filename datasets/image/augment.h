// Training augmentations: chance is drawn into a Warp, the Warp is applied to the channels of one image.
//
// In this order, whatever the order of the names:
//   random-resized-crop  torchvision's: 0.08 to 1 of the area, ratio 3/4 to 4/3 log-uniform, ten tries, then the centre
//   pad-crop             zeros (black, before normalisation) of max(1, height / 8) pixels on all sides, a random window
//   flip                 left to right, one in two
// A fourth, square-crop, is for photographs alone (transforms.h). A fifth, short-side, is for images with boxes alone: the
// size that the shorter side gets is one of six, drawn before flip (draw_short_side).
// Resizing goes back to the image's own size, so it only enlarges: bilinear, half-pixel centres, edges repeated, values
// not rounded to bytes in between. (The triangle filter that Pillow and torch widen when shrinking is this one when
// enlarging.)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/random.h"

namespace auxbench {

struct Augmentation {
  bool random_resized_crop = false;
  bool pad_crop = false;
  bool flip = false;
  bool square_crop = false;
  bool short_side = false;
};

// Throws UserError(invalid_suite) for a name that is none of the five.
Augmentation parse_augmentation(std::span<const std::string> names);

// short-side where images have no boxes: throws UserError(invalid_suite).
void refuse_short_side(const Augmentation& augmentation);

// What happens to one image: the box is enlarged to the image's size, shifted over black, then mirrored.
struct Warp {
  int64_t top = 0, left = 0, height = 0, width = 0;
  int64_t shift_y = 0, shift_x = 0;  // result(y, x) = enlarged(y + shift_y, x + shift_x)
  bool mirrored = false;
};

Warp draw_warp(const Augmentation& augmentation, int64_t height, int64_t width, RandomStream& stream);

// `size` without short-side; with it one of size x (20 .. 25) / 25, each as likely, to the nearest pixel, halves up: for
// 800 Detectron2's 640, 672 .. 800. At least 1.
int64_t draw_short_side(const Augmentation& augmentation, int64_t size, RandomStream& stream);

// The float that each byte becomes.
using Levels = std::array<float, 256>;
Levels normalisation_levels(float mean, float std);  // (p / 255 - mean) / std in float, as torchvision computes it

// Writes pixel (y, x) of a height x width plane to out[(y * width + x) * step].
void write_plane(std::span<const uint8_t> plane, int64_t height, int64_t width, const Warp& warp, const Levels& levels,
                 std::span<float> out, size_t step = 1);

}  // namespace auxbench
