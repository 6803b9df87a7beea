// A garment cut out of its grey image, and laid into a picture: scaled, turned, with a softened edge and a shadow.
#pragma once

#include <cstdint>
#include <vector>

#include "datasets/scenes/scene_chance.h"
#include "datasets/sources/image_set.h"

namespace auxbench {

// An image's silhouette with a margin. `cover` is below 1 where the silhouette fills a pixel in part. `shade` is the
// light of what is covered times `cover`: the two are interpolated together and divided afterwards, so that a garment
// does not darken towards its edge.
struct Cutout {
  int64_t width = 0, height = 0;
  std::vector<float> cover, shade;
  float centre_x = 0, centre_y = 0, box_width = 0, box_height = 0;  // of the silhouette
};

Cutout cut_out(const ImageSet& garments, size_t garment);

struct Pose {
  float x = 0, y = 0;  // where the middle of the silhouette's box comes to lie, in pixels of the picture
  float scale = 1;     // pixels of the picture for one of the cut-out
  Turn turn;
};

struct Half {
  float width = 0, height = 0;
};

// Half the sides of the box around the silhouette's turned box.
Half half_extent(const Cutout& cutout, const Pose& pose);

// What a garment does to one pixel of the picture.
struct Texel {
  float cover = 0, shade = 0, shadow = 0;
};

inline bool is_seen(const Texel& texel) { return texel.cover >= 0.5F; }

// A garment in its pose: for a rectangle of the picture, which it may leave.
struct Layer {
  int64_t left = 0, top = 0, width = 0, height = 0;
  std::vector<Texel> texels;
  int64_t area = 0;  // pixels of the silhouette, wherever they lie
};

Layer lay(const Cutout& cutout, const Pose& pose);

}  // namespace auxbench
