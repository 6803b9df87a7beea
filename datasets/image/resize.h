// Bilinear resizing as Pillow's Image.resize(size, Image.BILINEAR) computes it up to version 12, to the last bit. (13
// takes the vertical pass first where that saves time. The field's published numbers are older.)
//
// Two passes, horizontal first, bytes in between. Output position x looks at in/out-wide triangles around
// (x + 1/2) in/out, never narrower than one pixel to each side (antialiasing when shrinking); weights are normalised in
// double, then rounded to multiples of 2^-22; sums start at half and are cut. A side that stays as it is gets no pass.
#pragma once

#include "datasets/image/raster.h"

namespace auxbench {

// x + 1/2, cut to a whole number: how Pillow and Detectron2 round sides and weights, where lround would differ.
inline int64_t half_up(double x) { return static_cast<int64_t>(x + 0.5); }  // NOLINT(bugprone-incorrect-roundings)

// `from` of a photograph, resized to width x height, of which `part` stays, left to right or mirrored. Boxes lie inside.
struct Resizing {
  Box from;
  int64_t width = 0, height = 0;
  Box part;
  bool mirrored = false;
};

Raster resize(const Raster& raster, int64_t width, int64_t height);  // sizes >= 1

// The pixels of the photograph that it looks at.
Box pixels_needed(const Resizing& resizing);

// `pixels` are the box `at` of the photograph, and hold at least what is needed. What `part` leaves out is not computed.
Raster resize_part(const Raster& pixels, const Box& at, const Resizing& resizing);

}  // namespace auxbench
