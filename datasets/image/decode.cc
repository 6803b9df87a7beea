#include "datasets/image/decode.h"

#include "base/check.h"
#include "base/error.h"
#include "base/files/file.h"
#include "datasets/image/jpeg_decoder.h"
#include "datasets/image/png_decoder.h"

namespace auxbench {
namespace {

constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n", kJpegStart = "\xff\xd8\xff";

bool lies_inside(const Box& box, int64_t width, int64_t height) {
  return box.left >= 0 && box.top >= 0 && box.width > 0 && box.height > 0 && box.left + box.width <= width &&
         box.top + box.height <= height;
}

}  // namespace

void check_photo_size(int64_t width, int64_t height, int64_t limit, const std::string& place) {
  if (width < 1 || height < 1) refuse_data(place, "no pixels");
  if (width > limit / height)
    refuse_data(place, "declares " + std::to_string(width) + " x " + std::to_string(height) + " pixels, at most " +
                           std::to_string(limit) + " are read");
}

PhotoPart decode_part(std::string_view bytes, const std::string& place, const ChooseBox& choose, int64_t limit) {
  const auto checked = [&choose](int64_t width, int64_t height) {
    const auto box = choose(width, height);
    AUXBENCH_CHECK(lies_inside(box, width, height), "a box inside the photograph");
    return box;
  };
  if (bytes.empty()) refuse_data(place, "is empty");
  if (bytes.starts_with(kPngSignature)) return decode_png(bytes, place, checked, limit);
  if (bytes.starts_with(kJpegStart)) return decode_jpeg(bytes, place, checked, limit);
  refuse_data(place, "neither JPEG nor PNG");
}

Raster decode_image(std::string_view bytes, const std::string& place, int64_t limit) {
  const auto all = [](int64_t width, int64_t height) { return Box{.width = width, .height = height}; };
  return decode_part(bytes, place, all, limit).pixels;
}

Raster read_image(const std::filesystem::path& path) { return decode_image(read_file(path), path.string()); }

}  // namespace auxbench
