#include "datasets/image/encode_png.h"

#include <spng.h>

#include <cstdlib>
#include <memory>

#include "base/check.h"

namespace auxbench {

std::string encode_png(const Raster& raster) {
  AUXBENCH_CHECK(raster.width > 0 && raster.height > 0, "a picture with pixels");
  const std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> codec(spng_ctx_new(SPNG_CTX_ENCODER), spng_ctx_free);
  AUXBENCH_CHECK(codec != nullptr, "memory for libspng");
  const auto check = [](int error) {
    AUXBENCH_CHECK(error == 0, std::string("a picture that can be compressed: ") + spng_strerror(error));
  };
  spng_ihdr header{};
  header.width = static_cast<uint32_t>(raster.width);
  header.height = static_cast<uint32_t>(raster.height);
  header.bit_depth = 8;
  header.color_type = SPNG_COLOR_TYPE_TRUECOLOR;
  check(spng_set_option(codec.get(), SPNG_ENCODE_TO_BUFFER, 1));
  check(spng_set_ihdr(codec.get(), &header));
  check(spng_encode_image(codec.get(), raster.rgb.data(), raster.rgb.size(), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE));
  size_t size = 0;
  int error = 0;
  const std::unique_ptr<void, void (*)(void*)> bytes(spng_get_png_buffer(codec.get(), &size, &error), std::free);
  check(error);
  return {static_cast<const char*>(bytes.get()), size};
}

}  // namespace auxbench
