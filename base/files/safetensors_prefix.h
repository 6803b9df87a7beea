// How a safetensors file begins: eight bytes, the length of the JSON header that follows them, lowest byte first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace auxbench {

inline constexpr size_t kSafetensorsPrefixBytes = 8;
inline constexpr uint64_t kLongestSafetensorsHeader = 100'000'000;  // the format's own limit

// In bytes, whatever the limit; `file` has at least the prefix.
inline uint64_t safetensors_header_bytes(std::string_view file) {
  uint64_t length = 0;
  for (size_t i = kSafetensorsPrefixBytes; i > 0; --i) length = length << 8U | static_cast<unsigned char>(file[i - 1]);
  return length;
}

}  // namespace auxbench
