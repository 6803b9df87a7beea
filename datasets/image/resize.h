// Bilinear resizing as Pillow's Image.resize(size, Image.BILINEAR) computes it up to version 12, to the last bit. (13
// takes the vertical pass first where that saves time. The field's published numbers are older.)
//
// Two passes, horizontal first, bytes in between. Output position x looks at in/out-wide triangles around
// (x + 1/2) in/out, never narrower than one pixel to each side (antialiasing when shrinking); weights are normalised in
// double, then rounded to multiples of 2^-22; sums start at half and are cut. A side that stays as it is gets no pass.
#pragma once

#include "datasets/image/raster.h"

namespace auxbench {

struct Box {
  int64_t left = 0, top = 0, width = 0, height = 0;
};

Raster resize(const Raster& raster, int64_t width, int64_t height);  // sizes >= 1

// crop(resize(crop(raster, from), width, height), part), without computing what `part` leaves out. Boxes lie inside.
Raster resize_part(const Raster& raster, const Box& from, int64_t width, int64_t height, const Box& part);

}  // namespace auxbench
