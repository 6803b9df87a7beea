// PNG by libspng: palette, grey and colour of up to 8 bits; of 16-bit colour, and of 16-bit grey with transparency, the
// upper byte, as Pillow does; transparency and gamma are passed over. 16-bit grey without transparency is refused: Pillow
// itself clips it to white.
//
// Only IHDR, PLTE and IDAT are looked into. What the other chunks hold (text, EXIF, colour profiles, of whatever length)
// decides nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "datasets/image/decode.h"

namespace auxbench {

// For decode_part, whose contract this is. A PNG is decoded whole: its rows are one stream.
PhotoPart decode_png(std::string_view bytes, const std::string& place, const ChooseBox& choose, int64_t limit);

}  // namespace auxbench
