#include "datasets/image/encode.h"

#include "base/check.h"
#include "datasets/image/jpeg_errors.h"

namespace auxbench {
namespace {

constexpr int64_t kLongestSide = 65500;

bool is_side(int64_t length) { return length > 0 && length <= kLongestSide; }

void compress(jpeg_compress_struct& codec, const Raster& raster, int quality) {
  codec.image_width = static_cast<JDIMENSION>(raster.width);
  codec.image_height = static_cast<JDIMENSION>(raster.height);
  codec.input_components = kColours;
  codec.in_color_space = JCS_RGB;
  jpeg_set_defaults(&codec);  // of three colours: 4:2:0, exact integer DCT
  jpeg_set_quality(&codec, quality, TRUE);
  jpeg_start_compress(&codec, TRUE);
  while (codec.next_scanline < codec.image_height) {
    auto* row = const_cast<JSAMPROW>(raster.row(codec.next_scanline));  // libjpeg only reads it
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
}

}  // namespace

std::string encode_jpeg(const Raster& raster, int quality) {
  AUXBENCH_CHECK(is_side(raster.width) && is_side(raster.height), "sides that JPEG can hold");
  AUXBENCH_CHECK(quality >= 1 && quality <= 100, "a quality from 1 to 100");
  // More than any picture takes, so that libjpeg makes no memory of its own: its tables, and three bytes a sample.
  const auto blocks = [](int64_t side) { return static_cast<size_t>(side / 16 + 1); };
  std::string bytes(4096 + blocks(raster.width) * blocks(raster.height) * 16 * 16 * 3 * 3 / 2, '\0');
  auto* target = reinterpret_cast<unsigned char*>(bytes.data());
  auto size = static_cast<unsigned long>(bytes.size());
  JpegErrors errors;
  jpeg_compress_struct codec{};
  codec.err = errors.manager();
  const bool done = errors.attempt([&] {
    jpeg_create_compress(&codec);
    jpeg_mem_dest(&codec, &target, &size);
    compress(codec, raster, quality);
  });
  jpeg_destroy_compress(&codec);
  AUXBENCH_CHECK(done, std::string("a picture that can be compressed: ") + errors.text());
  AUXBENCH_CHECK(size <= bytes.size(), "memory for the worst picture");
  bytes.resize(size);
  return bytes;
}

}  // namespace auxbench
