// Named, seeded randomness: the same numbers on every platform, standard library and compiler.
//
// Every use of chance has a name ("shuffle", "augment" ...) and up to two indices (epoch, image), so that a draw
// depends on what it is for, never on how many draws came before it, on which thread, or on a resume.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace auxbench {

// The first 8 bytes, big-endian, of SHA-256 over "SEED A B NAME" (decimal numbers, single spaces).
uint64_t stream_seed(int64_t seed, std::string_view name, uint64_t a = 0, uint64_t b = 0);

// SplitMix64 (Steele, Lea, Flood 2014): 64 bits of state, every seed is a good one.
class RandomStream {
 public:
  explicit RandomStream(uint64_t seed) : state_(seed) {}

  uint64_t next();                 // uniform over all 64-bit numbers
  uint64_t below(uint64_t bound);  // uniform over [0, bound), without bias; bound > 0
  double uniform();                // uniform over the multiples of 2^-53 in [0, 1)

 private:
  uint64_t state_;
};

// 0 .. count-1 in a random order (Fisher-Yates).
std::vector<uint32_t> permutation(uint32_t count, uint64_t seed);

}  // namespace auxbench
