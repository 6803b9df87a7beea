// PNG bytes of a picture, by libspng: 8-bit RGB, no metadata. Equal pixels give equal bytes with one version of it and of
// zlib. What decode_png reads back is the picture.
#pragma once

#include <string>

#include "datasets/image/raster.h"

namespace auxbench {

// Throws LogicFault for a side of 0.
std::string encode_png(const Raster& raster);

}  // namespace auxbench
