#include "datasets/image/decode.h"

#include <spng.h>
#include <turbojpeg.h>

#include <memory>

#include "base/error.h"
#include "base/files/file.h"

namespace auxbench {
namespace {

constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n", kJpegStart = "\xff\xd8\xff";
constexpr std::string_view kEndOfImage = "\xff\xd9", kStartOfScan = "\xff\xda";
constexpr size_t kLargestChunk = size_t{1} << 26;  // of what is no picture, in bytes

void check_size(int64_t width, int64_t height, int64_t limit, const std::string& place) {
  if (width < 1 || height < 1) refuse_data(place, "no pixels");
  if (width > limit / height)
    refuse_data(place, "declares " + std::to_string(width) + " x " + std::to_string(height) + " pixels, at most " +
                           std::to_string(limit) + " are read");
}

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// Whether the file stops before the end of its last scan. libjpeg only warns, and fills the rest with grey. (Within a
// scan these two bytes do not occur; within a thumbnail, which comes before it, they do.)
bool is_cut(std::string_view bytes) {
  const auto scan = bytes.rfind(kStartOfScan), end = bytes.rfind(kEndOfImage);
  return end == std::string_view::npos || (scan != std::string_view::npos && end < scan);
}

// a b / 255, rounded, as Pillow computes it.
int over_255(int a, int b) {
  const int product = a * b + 128;
  return (product + (product >> 8)) >> 8;
}

void cmyk_to_rgb(const std::vector<uint8_t>& inverted, Raster& raster) {
  for (size_t pixel = 0; pixel < raster.rgb.size() / kColours; ++pixel) {
    const int light = inverted[4 * pixel + 3];
    for (size_t c = 0; c < kColours; ++c)
      raster.rgb[kColours * pixel + c] = static_cast<uint8_t>(light - over_255(255 - inverted[4 * pixel + c], light));
  }
}

Raster decode_jpeg(std::string_view bytes, const std::string& place, int64_t limit) {
  const std::unique_ptr<void, int (*)(tjhandle)> codec(tjInitDecompress(), tjDestroy);
  if (!codec) refuse_data(place, "libjpeg-turbo cannot start");
  const auto complaint = [&] { return std::string(tjGetErrorStr2(codec.get())); };
  const auto size = static_cast<unsigned long>(bytes.size());
  int width = 0, height = 0, subsampling = 0, colours = 0;
  if (tjDecompressHeader3(codec.get(), bytes_of(bytes), size, &width, &height, &subsampling, &colours) != 0 &&
      tjGetErrorCode(codec.get()) != TJERR_WARNING)
    refuse_data(place, "not a JPEG that can be decoded: " + complaint());
  check_size(width, height, limit, place);
  Raster raster(width, height);
  const bool cmyk = colours == TJCS_CMYK || colours == TJCS_YCCK;
  std::vector<uint8_t> inverted(cmyk ? raster.rgb.size() / kColours * 4 : 0);
  // Hundreds of scans over one picture are an attack, not a photograph.
  if (tjDecompress2(codec.get(), bytes_of(bytes), size, cmyk ? inverted.data() : raster.rgb.data(), width, 0, height,
                    cmyk ? TJPF_CMYK : TJPF_RGB, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) != 0) {
    if (tjGetErrorCode(codec.get()) != TJERR_WARNING) refuse_data(place, "broken JPEG: " + complaint());
    if (is_cut(bytes)) refuse_data(place, "truncated: the JPEG's last lines are missing");
  }
  if (cmyk) cmyk_to_rgb(inverted, raster);
  return raster;
}

Raster decode_png(std::string_view bytes, const std::string& place, int64_t limit) {
  const std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> codec(spng_ctx_new(0), spng_ctx_free);
  if (!codec) refuse_data(place, "libspng cannot start");
  const auto check = [&](int error) {
    if (error != 0) refuse_data(place, std::string("broken PNG: ") + spng_strerror(error));
  };
  spng_set_chunk_limits(codec.get(), kLargestChunk, kLargestChunk);
  check(spng_set_png_buffer(codec.get(), bytes.data(), bytes.size()));
  spng_ihdr header{};
  check(spng_get_ihdr(codec.get(), &header));
  check_size(header.width, header.height, limit, place);
  const bool grey =
      header.color_type == SPNG_COLOR_TYPE_GRAYSCALE || header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
  if (header.bit_depth == 16 && grey) refuse_data(place, "16-bit grey PNG: convert it to 8 bits");
  Raster raster(header.width, header.height);
  check(spng_decode_image(codec.get(), raster.rgb.data(), raster.rgb.size(), SPNG_FMT_RGB8, 0));
  return raster;
}

}  // namespace

Raster decode_image(std::string_view bytes, const std::string& place, int64_t limit) {
  if (bytes.empty()) refuse_data(place, "is empty");
  if (bytes.starts_with(kPngSignature)) return decode_png(bytes, place, limit);
  if (bytes.starts_with(kJpegStart)) return decode_jpeg(bytes, place, limit);
  refuse_data(place, "neither JPEG nor PNG");
}

Raster read_image(const std::filesystem::path& path) { return decode_image(read_file(path), path.string()); }

}  // namespace auxbench
