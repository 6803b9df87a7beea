// Codes of k bits in k bits each: how low-bit weights are stored. Any width from 1 to 8.
//
// The stream is little-endian: code i occupies bits i k .. i k + k - 1, bit b of the stream is bit b % 8 of byte b / 8.
// Signed codes are two's complement. Bits behind the last code are zero. Torch-free; no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace auxbench::bitpack {

inline size_t packed_bytes(size_t count, int bits) { return (count * static_cast<size_t>(bits) + 7) / 8; }

// packed: packed_bytes of them. The lowest `bits` bits of each code are kept.
void pack(std::span<const int8_t> codes, int bits, std::span<uint8_t> packed);

// The inverse for codes that `bits` hold, signed or not.
void unpack_signed(std::span<const uint8_t> packed, int bits, std::span<int8_t> codes);
void unpack_unsigned(std::span<const uint8_t> packed, int bits, std::span<uint8_t> codes);

}  // namespace auxbench::bitpack
