// Photographs from files' bytes, pixel for pixel as Pillow's Image.open(..).convert("RGB") gives them.
//
// JPEG by libjpeg-turbo (jpeg_decoder.h), PNG by libspng (png_decoder.h). What a file is its bytes say, not its name,
// and EXIF rotation is not applied, as there.
//
// Hostile input: what declares more pixels than `limit` is refused before memory is taken for them; a file that ends
// early or whose decoding ends in an error is refused, never half an image.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "datasets/image/raster.h"

namespace auxbench {

inline constexpr int64_t kMostPixels = int64_t{1} << 28;

// Which pixels are wanted of a photograph of this size: a box that lies in it.
using ChooseBox = std::function<Box(int64_t width, int64_t height)>;

// Throw UserError(data_missing) "PLACE: WHAT".
Raster decode_image(std::string_view bytes, const std::string& place, int64_t limit = kMostPixels);
Raster read_image(const std::filesystem::path& path);

// The chosen box, or a larger one that has it: within the chosen one the same bytes as in decode_image's result, and the
// same refusals. What `choose` throws passes through.
PhotoPart decode_part(std::string_view bytes, const std::string& place, const ChooseBox& choose,
                      int64_t limit = kMostPixels);

// Refuses a size beyond the limit. For decoders.
void check_photo_size(int64_t width, int64_t height, int64_t limit, const std::string& place);

}  // namespace auxbench
