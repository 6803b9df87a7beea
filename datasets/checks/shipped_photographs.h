// Photographs that the program carries, and what Pillow makes of them: whether this machine's decoder and resize are
// the field's can be told anywhere, without data.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace auxbench {

struct ShippedPhotograph {
  std::string_view name;         // "JPEG, 4:2:0"
  std::string_view hex;          // the file, two digits a byte
  std::string_view fingerprint;  // SHA-256 of imagenet-eval's 3 x 224 x 224 floats, little-endian
};

std::span<const ShippedPhotograph> shipped_photographs();

std::string bytes_of_hex(std::string_view hex);

// Of a file's bytes, by this program's own decoder and transforms. Throws UserError as decode.h.
std::string photograph_fingerprint(std::string_view bytes, const std::string& place);

}  // namespace auxbench
