// JPEG and PNG. A PNG's checksums are put right first: with wrong ones nothing behind them would be reached.
#include <zlib.h>

#include "datasets/image/decode.h"
#include "tests/datasets/rasters.h"
#include "tests/fuzz/target.h"

using namespace auxbench;

namespace {

constexpr int64_t kMostPixelsHere = int64_t{1} << 20;
constexpr size_t kSignature = 8, kWord = 4;

uint32_t word_at(const std::string& bytes, size_t at) {
  uint32_t word = 0;
  for (size_t i = 0; i < kWord; ++i) word = word << 8U | static_cast<unsigned char>(bytes[at + i]);
  return word;
}

// Chunks of length, name, content, checksum of name and content; the rest stays as it is.
std::string with_checksums(std::string_view png) {
  std::string bytes(png);
  for (size_t at = kSignature; at + 3 * kWord <= bytes.size();) {
    const size_t length = word_at(bytes, at);
    if (length > bytes.size() - at - 3 * kWord) break;
    const auto* named = reinterpret_cast<const Bytef*>(bytes.data() + at + kWord);
    const auto sum = static_cast<uint32_t>(crc32(0, named, static_cast<uInt>(length + kWord)));
    for (size_t i = 0; i < kWord; ++i)
      bytes[at + 2 * kWord + length + i] = static_cast<char>((sum >> (24 - 8 * i)) & 0xFFU);
    at += length + 3 * kWord;
  }
  return bytes;
}

// The whole picture, then a part of it: the same bytes there, the same refusal.
void decode(std::string_view bytes) {
  Raster whole;
  fuzz::may_refuse(ExitCode::data_missing, [&] {
    whole = decode_image(bytes, "input", kMostPixelsHere);
    AUXBENCH_CHECK(whole.width * whole.height <= kMostPixelsHere, "no more pixels than the limit");
  });
  RandomStream random(crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
  PhotoPart part;
  Box wanted;
  fuzz::may_refuse(ExitCode::data_missing, [&] {
    const auto any = [&](int64_t width, int64_t height) { return wanted = test::draw_box(width, height, random); };
    part = decode_part(bytes, "input", any, kMostPixelsHere);
  });
  AUXBENCH_CHECK(whole.rgb.empty() == part.pixels.rgb.empty(), "the same refusal of a part as of the whole");
  if (!whole.rgb.empty()) AUXBENCH_CHECK(test::shows(part, wanted, whole), "a part of the whole");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = fuzz::text_of(data, size);
  decode(bytes);
  if (!bytes.starts_with("\x89PNG")) return 0;
  if (const auto corrected = with_checksums(bytes); corrected != bytes) decode(corrected);
  return 0;
}
