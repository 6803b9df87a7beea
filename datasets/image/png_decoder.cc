#include "datasets/image/png_decoder.h"

#include <spng.h>

#include <algorithm>
#include <memory>

#include "base/error.h"

namespace auxbench {
namespace {

constexpr size_t kSignature = 8, kWord = 4, kFrame = 3 * kWord;  // of a chunk: its length, name and checksum

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The file without the chunks that its pixels do not need. What is no chunk stays, for libspng to judge.
std::string needed_chunks(std::string_view png) {
  std::string needed(png.substr(0, kSignature));
  needed.reserve(png.size());
  png.remove_prefix(kSignature);
  while (png.size() >= 2 * kWord) {
    size_t length = 0;
    for (size_t i = 0; i < kWord; ++i) length = length << 8U | static_cast<unsigned char>(png[i]);
    const auto name = png.substr(kWord, kWord);
    if (!std::all_of(name.begin(), name.end(), is_letter)) break;
    const auto chunk = png.substr(0, length + kFrame);
    if (name == "IHDR" || name == "PLTE" || name == "IDAT" || name == "IEND") needed += chunk;
    if (name == "IEND") return needed;
    png.remove_prefix(chunk.size());
  }
  return needed += png;
}

}  // namespace

PhotoPart decode_png(std::string_view bytes, const std::string& place, const ChooseBox& choose, int64_t limit) {
  const std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> codec(spng_ctx_new(0), spng_ctx_free);
  if (!codec) refuse_data(place, "libspng cannot start");
  const auto check = [&](int error) {
    if (error != 0) refuse_data(place, std::string("broken PNG: ") + spng_strerror(error));
  };
  const auto needed = needed_chunks(bytes);
  check(spng_set_png_buffer(codec.get(), needed.data(), needed.size()));
  spng_ihdr header{};
  check(spng_get_ihdr(codec.get(), &header));
  check_photo_size(header.width, header.height, limit, place);
  if (header.bit_depth == 16 && header.color_type == SPNG_COLOR_TYPE_GRAYSCALE)
    refuse_data(place, "16-bit grey PNG: convert it to 8 bits");
  choose(header.width, header.height);
  Raster raster(header.width, header.height);
  check(spng_decode_image(codec.get(), raster.rgb.data(), raster.rgb.size(), SPNG_FMT_RGB8, 0));
  const auto box = whole_of(raster);
  return {.box = box, .pixels = std::move(raster)};
}

}  // namespace auxbench
