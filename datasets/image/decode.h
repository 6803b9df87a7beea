// Photographs from files' bytes, pixel for pixel as Pillow's Image.open(..).convert("RGB") gives them.
//
// JPEG by libjpeg-turbo: exact integer DCT, fancy upsampling, baseline or progressive; grey is repeated, CMYK is taken
// as Adobe stores it (inverted) and turned into RGB by Pillow's arithmetic. PNG by libspng: palette, grey and colour of
// up to 8 bits; of 16-bit colour the upper byte, as Pillow does; transparency and gamma are passed over. 16-bit grey is
// refused: Pillow itself clips it to white. What a file is its bytes say, not its name, and EXIF rotation is not
// applied, as there.
//
// Hostile input: what declares more pixels than `limit` is refused before memory is taken for them; a file that ends
// early or is broken beyond decoding is refused, never half an image.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "datasets/image/raster.h"

namespace auxbench {

inline constexpr int64_t kMostPixels = int64_t{1} << 28;

// Throw UserError(data_missing) "PLACE: WHAT".
Raster decode_image(std::string_view bytes, const std::string& place, int64_t limit = kMostPixels);
Raster read_image(const std::filesystem::path& path);

}  // namespace auxbench
