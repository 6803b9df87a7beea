// JPEG bytes of a picture, by libjpeg-turbo: baseline, 4:2:0, exact integer DCT, standard Huffman tables, no
// metadata. Equal pixels and quality give equal bytes with one version of the library.
#pragma once

#include <string>

#include "datasets/image/raster.h"

namespace auxbench {

// `quality` from 1 (small) to 100 (near to the pixels), as in cjpeg. Throws LogicFault for another quality and for a
// side of 0 or above 65500, which JPEG cannot hold.
std::string encode_jpeg(const Raster& raster, int quality);

}  // namespace auxbench
