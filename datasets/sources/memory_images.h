// Images of one size that lie in memory, as a source.
#pragma once

#include "datasets/sources/image_set.h"
#include "datasets/sources/image_source.h"

namespace auxbench {

// A pixel p in 0..255 becomes (p / 255 - mean) / std, every channel alike. Throws LogicFault for a set that contradicts
// itself.
Images memory_images(ImageSet images, float mean, float std);

}  // namespace auxbench
