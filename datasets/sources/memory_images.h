// Images of one size that lie in memory, as a source.
#pragma once

#include <span>

#include "datasets/sources/image_set.h"
#include "datasets/sources/image_source.h"

namespace auxbench {

// A pixel p in 0..255 of a channel becomes (p / 255 - mean) / std, by the channel's mean and deviation. Throws LogicFault
// for a set that contradicts itself, and for another number of means or deviations than of channels.
Images memory_images(ImageSet images, std::span<const float> mean, std::span<const float> std);
Images memory_images(ImageSet images, float mean, float std);  // every channel alike

}  // namespace auxbench
