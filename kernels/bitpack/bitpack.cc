#include "kernels/bitpack/bitpack.h"

#include <algorithm>

namespace auxbench::bitpack {
namespace {

// Eight codes are `bits` bytes: one 64-bit word holds any such group.
constexpr size_t kGroup = 8;

uint64_t load_group(std::span<const uint8_t> packed, size_t group, int bits) {
  const size_t first = group * static_cast<size_t>(bits);
  uint64_t word = 0;
  for (size_t i = 0; i < static_cast<size_t>(bits) && first + i < packed.size(); ++i)
    word |= uint64_t{packed[first + i]} << (8 * i);
  return word;
}

template <typename Code, typename Convert>
void unpack(std::span<const uint8_t> packed, int bits, std::span<Code> codes, const Convert& convert) {
  const uint64_t mask = (uint64_t{1} << bits) - 1;
  for (size_t i = 0; i < codes.size(); i += kGroup) {
    auto word = load_group(packed, i / kGroup, bits);
    for (size_t j = i; j < std::min(i + kGroup, codes.size()); ++j, word >>= bits) codes[j] = convert(word & mask);
  }
}

}  // namespace

void pack(std::span<const int8_t> codes, int bits, std::span<uint8_t> packed) {
  const uint64_t mask = (uint64_t{1} << bits) - 1;
  for (size_t i = 0; i < codes.size(); i += kGroup) {
    uint64_t word = 0;
    int shift = 0;
    for (size_t j = i; j < std::min(i + kGroup, codes.size()); ++j, shift += bits)
      word |= (static_cast<uint64_t>(codes[j]) & mask) << shift;
    const size_t first = i / kGroup * static_cast<size_t>(bits);
    for (size_t b = 0; b < static_cast<size_t>(bits) && first + b < packed.size(); ++b)
      packed[first + b] = static_cast<uint8_t>(word >> (8 * b));
  }
}

void unpack_signed(std::span<const uint8_t> packed, int bits, std::span<int8_t> codes) {
  const int shift = 64 - bits;
  unpack(packed, bits, codes,
         [shift](uint64_t code) { return static_cast<int8_t>(static_cast<int64_t>(code << shift) >> shift); });
}

void unpack_unsigned(std::span<const uint8_t> packed, int bits, std::span<uint8_t> codes) {
  unpack(packed, bits, codes, [](uint64_t code) { return static_cast<uint8_t>(code); });
}

}  // namespace auxbench::bitpack
