#include "base/random.h"

#include <charconv>
#include <numeric>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/files/sha256.h"

namespace auxbench {

uint64_t stream_seed(int64_t seed, std::string_view name, uint64_t a, uint64_t b) {
  std::string text = std::to_string(seed) + ' ' + std::to_string(a) + ' ' + std::to_string(b) + ' ';
  text += name;
  const auto digest = sha256_hex(text);
  uint64_t value = 0;
  std::from_chars(digest.data(), digest.data() + 16, value, 16);
  return value;
}

uint64_t RandomStream::next() {
  state_ += 0x9E3779B97F4A7C15U;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

uint64_t RandomStream::below(uint64_t bound) {
  AUXBENCH_CHECK(bound > 0, "a bound above zero");
  // 2^64 mod bound numbers at the bottom are one too many for some remainders: draw again.
  const uint64_t surplus = (0 - bound) % bound;
  uint64_t value = next();
  while (value < surplus) value = next();
  return value % bound;
}

double RandomStream::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::vector<uint32_t> permutation(uint32_t count, uint64_t seed) {
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  RandomStream stream(seed);
  for (size_t left = count; left > 1; --left) std::swap(order[left - 1], order[stream.below(left)]);
  return order;
}

}  // namespace auxbench
