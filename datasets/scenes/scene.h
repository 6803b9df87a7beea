// Pictures painted from garments: a textured background, garments scaled, turned, tinted and laid over one another,
// and the truth about each of them, exact to the pixel.
//
// A garment is the silhouette of an image of `garments` (grey, dark background): all pixels but those that the border
// reaches through dark ones, so that dark inner parts belong to it. What is painted later covers what was there; an
// object's box, area and runs are of what can still be seen of it: pixels that it covers by half or more.
//
// No garment is left out of the objects. One is painted only where at least kLeastVisible pixels and a quarter of its
// silhouette lie on the canvas, and where every earlier object keeps as much of its own; otherwise another garment is
// drawn at another place, up to kAttempts times, and then one fewer is painted. (Of a crowd, which is painted first,
// the silhouette is what could be seen when it was complete.)
//
// Equal garments, style and state of the stream give equal pictures. Nothing but + - * / and square roots is
// computed, so they are equal wherever the compiler does not fuse multiplications with additions (none does for plain
// x86-64).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "datasets/image/raster.h"
#include "datasets/sources/image_set.h"

namespace auxbench {

inline constexpr int64_t kLeastVisible = 16;  // pixels
inline constexpr int kAttempts = 8;

struct SceneObject {
  int64_t label = 0;                            // of the garment, or of all garments of a crowd
  int64_t x = 0, y = 0, width = 0, height = 0;  // the smallest box around the visible pixels
  int64_t area = 0;                             // visible pixels
  bool crowd = false;
  // COCO's run lengths: column after column from the left, each downwards; alternately of unseen and seen pixels, the
  // first of unseen ones (0 where the first pixel is seen). They add up to the picture's pixels.
  std::vector<uint32_t> runs;
};

struct Scene {
  Raster picture;
  std::vector<SceneObject> objects;  // in the order of painting
};

// Both ends are included.
struct CountRange {
  int64_t least = 0, most = 0;
};

// A silhouette's longer side over the picture's shorter side; drawn log-uniformly.
struct ShareRange {
  float least = 0, most = 0;
};

struct SceneStyle {
  std::string_view name;               // that users give
  CountRange width, height;            // of the picture, in pixels
  CountRange garments;                 // beside a crowd's
  ShareRange first_size;               // of the garment that is painted first
  ShareRange other_size;               // of all others
  std::optional<int64_t> first_label;  // of the garment that is painted first; without it any
  float crowd_chance = 0;              // of 8 to 20 small garments of one class, close together, as one object
  float truncation_chance = 0;         // of a garment that the picture's edge cuts
  bool kinds = false;                  // a tree's categories are kinds of garments (generate.h), not their classes
};

// Of Fashion-MNIST's garments two in five come out small in COCO's sense (below 32^2 pixels), more than half medium
// (below 96^2), one in seventeen large.
inline constexpr SceneStyle kDetectionStyle = {.name = "full",
                                               .width = {.least = 160, .most = 320},
                                               .height = {.least = 160, .most = 320},
                                               .garments = {.least = 1, .most = 8},
                                               .first_size = {.least = 0.3F, .most = 0.9F},
                                               .other_size = {.least = 0.1F, .most = 0.8F},
                                               .first_label = std::nullopt,
                                               .crowd_chance = 0.1F,
                                               .truncation_chance = 0.15F};

// For what trains on a processor in minutes: of 160 pixels, few garments, whole but for what covers them, most of them
// small; what a shirt has from a coat is not asked for.
inline constexpr SceneStyle kPlainStyle = {.name = "plain",
                                           .width = {.least = 160, .most = 160},
                                           .height = {.least = 160, .most = 160},
                                           .garments = {.least = 2, .most = 5},
                                           .first_size = {.least = 0.3F, .most = 0.9F},
                                           .other_size = {.least = 0.15F, .most = 0.5F},
                                           .first_label = std::nullopt,
                                           .kinds = true};

// Those of scenes.
inline constexpr std::array kSceneStyles = {&kDetectionStyle, &kPlainStyle};

// One garment that the picture is about and up to four by the way; ImageNet's most frequent size.
inline constexpr SceneStyle kPhotographStyle = {.name = "photograph",
                                                .width = {.least = 500, .most = 500},
                                                .height = {.least = 375, .most = 375},
                                                .garments = {.least = 1, .most = 5},
                                                .first_size = {.least = 0.5F, .most = 0.9F},
                                                .other_size = {.least = 0.08F, .most = 0.3F},
                                                .first_label = std::nullopt,
                                                .crowd_chance = 0,
                                                .truncation_chance = 0.1F};

// Throws LogicFault for garments that are not grey, for a style whose ranges are not ranges, and where garments are
// asked for that are not there (none at all, none of `first_label`).
Scene paint_scene(const ImageSet& garments, const SceneStyle& style, RandomStream& stream);

}  // namespace auxbench
