#include "datasets/image/encode.h"

#include <turbojpeg.h>

#include <memory>

#include "base/check.h"

namespace auxbench {
namespace {

constexpr int64_t kLongestSide = 65500;

bool is_side(int64_t length) { return length > 0 && length <= kLongestSide; }

}  // namespace

std::string encode_jpeg(const Raster& raster, int quality) {
  AUXBENCH_CHECK(is_side(raster.width) && is_side(raster.height), "sides that JPEG can hold");
  AUXBENCH_CHECK(quality >= 1 && quality <= 100, "a quality from 1 to 100");
  const std::unique_ptr<void, int (*)(tjhandle)> codec(tjInitCompress(), tjDestroy);
  AUXBENCH_CHECK(codec != nullptr, "libjpeg-turbo to start");
  const int width = static_cast<int>(raster.width), height = static_cast<int>(raster.height);
  std::string bytes(tjBufSize(width, height, TJSAMP_420), '\0');
  auto* target = reinterpret_cast<unsigned char*>(bytes.data());
  auto size = static_cast<unsigned long>(bytes.size());
  // NOREALLOC: the buffer is ours and holds the worst case.
  const int code = tjCompress2(codec.get(), raster.rgb.data(), width, 0, height, TJPF_RGB, &target, &size, TJSAMP_420,
                               quality, TJFLAG_ACCURATEDCT | TJFLAG_NOREALLOC);
  AUXBENCH_CHECK(code == 0, std::string("a picture that can be compressed: ") + tjGetErrorStr2(codec.get()));
  bytes.resize(size);
  return bytes;
}

}  // namespace auxbench
