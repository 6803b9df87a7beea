#include "datasets/sources/idx.h"

#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/files/sha256.h"
#include "datasets/sources/gzip_file.h"

namespace auxbench {
namespace {

constexpr size_t kWord = 4;
constexpr uint32_t kUnsignedBytes = 0x0800;  // the first three bytes; the last is the rank
constexpr uint32_t kRankLimit = 4;

[[noreturn]] void refuse_truncated(const std::string& place, size_t expected, size_t found) {
  refuse_data(place, "truncated: expected " + std::to_string(expected) + " bytes, got " + std::to_string(found));
}

uint32_t word_at(std::string_view bytes, size_t index) {
  uint32_t word = 0;
  for (const char byte : bytes.substr(index * kWord, kWord)) word = word << 8 | static_cast<unsigned char>(byte);
  return word;
}

size_t rank_of(std::string_view bytes, const std::string& place) {
  if (bytes.size() < kWord) refuse_truncated(place, kWord, bytes.size());
  const uint32_t magic = word_at(bytes, 0);
  const uint32_t rank = magic & 0xFFU;
  if ((magic & ~0xFFU) != kUnsignedBytes || rank == 0 || rank > kRankLimit)
    refuse_data(place, "not an IDX file of bytes: magic number " + std::to_string(magic) + ", expected 2049 to 2052");
  return rank;
}

}  // namespace

IdxArray read_idx(const std::filesystem::path& path, size_t limit) {
  const auto place = path.string();
  const auto file = read_unpacked(path, limit);
  const size_t rank = rank_of(file.bytes, place);
  const size_t header = (1 + rank) * kWord;
  if (file.bytes.size() < header) refuse_truncated(place, header, file.bytes.size());

  IdxArray array;
  size_t count = 1;
  for (size_t axis = 1; axis <= rank; ++axis) {
    const uint32_t extent = word_at(file.bytes, axis);
    if (extent != 0 && count > limit / extent)
      refuse_data(place, "claims more than " + std::to_string(limit) + " elements");
    count *= extent;
    array.shape.push_back(extent);
  }
  const size_t expected = header + count;
  if (file.bytes.size() < expected) refuse_truncated(place, expected, file.bytes.size());
  if (file.bytes.size() > expected)
    refuse_data(place, "expected " + std::to_string(expected) + " bytes, got " + std::to_string(file.bytes.size()));
  if (!file.complete) refuse_data(place, "truncated: the end of the gzip data is missing");
  array.values.assign(file.bytes.begin() + static_cast<std::ptrdiff_t>(header), file.bytes.end());
  array.digest = sha256_hex(file.bytes);
  return array;
}

}  // namespace auxbench
