#include <bit>
#include <vector>

#include "base/files/sha256.h"
#include "datasets/checks/shipped_photographs.h"
#include "datasets/image/transforms.h"

namespace auxbench {

static_assert(std::endian::native == std::endian::little, "fingerprints are of little-endian floats");

std::string bytes_of_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  return bytes;
}

std::string photograph_fingerprint(std::string_view bytes, const std::string& place) {
  RandomStream no_chance(0);
  const auto raster = see_photo(bytes, place, Augmentation(), no_chance);
  std::vector<float> pixels(raster.rgb.size());
  write_normalised(raster, pixels);
  return sha256_hex({reinterpret_cast<const char*>(pixels.data()), pixels.size() * sizeof(float)});
}

}  // namespace auxbench
