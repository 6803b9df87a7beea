#include "kernels/bitpack/bitpack.h"

#include <random>
#include <vector>

#include "tests/support/catch.h"

using namespace auxbench;

TEST_CASE("codes come back from their bits, any width and count", "[bitpack]") {
  std::mt19937_64 generator(7);
  for (int bits = 1; bits <= 8; ++bits)
    for (const size_t count : std::vector<size_t>{0, 1, 7, 8, 9, 63, 64, 65, 1000, 4609}) {
      CAPTURE(bits, count);
      std::vector<int8_t> codes(count);
      const int lowest = -(1 << (bits - 1));
      for (auto& code : codes)
        code = static_cast<int8_t>(std::uniform_int_distribution<int>(lowest, -lowest - 1)(generator));
      // A byte behind the stream, which nobody may write.
      std::vector<uint8_t> packed(bitpack::packed_bytes(count, bits) + 1, 0xa5);
      const std::span<uint8_t> stream(packed.data(), packed.size() - 1);
      bitpack::pack(codes, bits, stream);
      REQUIRE(packed.back() == 0xa5);
      std::vector<int8_t> back(count);
      bitpack::unpack_signed(stream, bits, back);
      REQUIRE(back == codes);
      std::vector<uint8_t> unsigned_codes(count);
      bitpack::unpack_unsigned(stream, bits, unsigned_codes);
      for (size_t i = 0; i < count; ++i)
        REQUIRE(unsigned_codes[i] == (static_cast<unsigned>(codes[i]) & ((1U << bits) - 1)));
    }
}

TEST_CASE("the stream is little-endian", "[bitpack]") {
  const std::vector<int8_t> codes = {1, 2, 3, -1, -2, -4, 0, 1};  // 001 010 011 111 110 100 000 001
  std::vector<uint8_t> packed(3);
  bitpack::pack(codes, 3, packed);
  CHECK(packed == std::vector<uint8_t>{0b11010001, 0b01101110, 0b00100010});
}
