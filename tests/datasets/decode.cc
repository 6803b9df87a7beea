#include "datasets/image/decode.h"

#include <functional>

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/sha256.h"
#include "base/random.h"
#include "datasets/checks/shipped_photographs.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

std::string photograph(const std::string& name) {
  return read_file(std::string(AUXBENCH_SOURCE_ROOT) + "/tests/datasets/photographs/" + name);
}

std::string complaint(const std::string& bytes, int64_t limit = kMostPixels) {
  try {
    decode_image(bytes, "photo", limit);
  } catch (const UserError& error) {
    CHECK(error.code() == ExitCode::data_missing);
    return error.what();
  }
  return "no complaint";
}

void check_complaint(const std::string& bytes, const std::string& wanted, int64_t limit = kMostPixels) {
  CHECK_THAT(complaint(bytes, limit), Catch::Matchers::Contains(wanted));
}

}  // namespace

TEST_CASE("photographs decode to Pillow's bytes", "[datasets]") {
  struct Case {
    const char *name, *digest;  // of Pillow's RGB
    int64_t width;
  };
  for (const auto& test : {Case{"colour.jpg", "9b5752684cd35362", 9}, Case{"progressive.jpg", "9b5752684cd35362", 9},
                           Case{"cmyk.jpg", "b09feab92376e200", 9}, Case{"colour.png", "a9e3ed151c9a3b99", 4}}) {
    INFO(test.name);
    const auto raster = decode_image(photograph(test.name), test.name);
    CHECK(raster.width == test.width);
    CHECK(sha256_hex({reinterpret_cast<const char*>(raster.rgb.data()), raster.rgb.size()}).substr(0, 16) ==
          test.digest);
  }
}

TEST_CASE("what is no photograph, or only a part of one, is refused", "[datasets]") {
  check_complaint("", "photo: is empty");
  check_complaint("GIF89a", "neither JPEG nor PNG");
  check_complaint(photograph("grey16.png"), "16-bit grey PNG");
  for (const char* name : {"colour.jpg", "progressive.jpg", "colour.png"}) {
    const auto whole = photograph(name);
    INFO(name);
    // A PNG's last 16 bytes say nothing about its pixels: a checksum and the mark of its end.
    const size_t needed = whole.size() - (name == std::string("colour.png") ? 16 : 0);
    for (size_t kept = 0; kept < needed; ++kept) CHECK(complaint(whole.substr(0, kept)) != "no complaint");
  }
}

TEST_CASE("a huge size is refused before memory is taken for it", "[datasets]") {
  auto png = photograph("colour.png");
  check_complaint(png, "declares 4 x 3 pixels, at most 11", 11);
  auto jpeg = photograph("colour.jpg");
  const auto frame = jpeg.find("\xff\xc0");
  for (size_t i = 5; i < 9; i += 2) jpeg.replace(frame + i, 2, "\xea\x60");
  check_complaint(jpeg, "declares 60000 x 60000 pixels");
}

TEST_CASE("damaged bytes are refused or decoded, and never more than that", "[datasets]") {
  RandomStream chance(stream_seed(0, "damage"));
  for (const char* name : {"colour.jpg", "progressive.jpg", "cmyk.jpg", "colour.png"}) {
    const auto whole = photograph(name);
    for (int attempt = 0; attempt < 300; ++attempt) {
      auto damaged = whole;
      for (uint64_t left = 1 + chance.below(4); left > 0; --left)
        damaged[chance.below(damaged.size())] = static_cast<char>(chance.below(256));
      static_cast<void>(complaint(damaged, 1 << 20));
    }
  }
}

TEST_CASE("the photographs that the program carries come out as Pillow made them", "[datasets]") {
  CHECK(shipped_photographs().size() == 4);
  for (const auto& photograph : shipped_photographs())
    CHECK(photograph_fingerprint(bytes_of_hex(photograph.hex), "a photograph") == photograph.fingerprint);
}
