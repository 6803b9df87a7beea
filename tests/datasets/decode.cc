#include "datasets/image/decode.h"

#include <fstream>
#include <functional>
#include <sstream>

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/sha256.h"
#include "base/random.h"
#include "datasets/checks/shipped_photographs.h"
#include "tests/datasets/rasters.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

const std::string kFolder = std::string(AUXBENCH_SOURCE_ROOT) + "/tests/datasets/photographs/";

std::string photograph(const std::string& name) { return read_file(kFolder + name); }

// A photograph of tests/datasets/photographs and what Pillow 12 makes of it; tests/parity/transforms.py holds Pillow
// itself against the list.
struct Known {
  std::string digest;  // of its RGB bytes
  int64_t width = 0, height = 0;
  std::string name;
};

std::vector<Known> known_photographs() {
  std::istringstream lines(photograph("pillow.txt"));
  std::vector<Known> all;
  for (Known one; lines >> one.digest >> one.width >> one.height >> one.name;) all.push_back(one);
  return all;
}

std::string digest(const Raster& raster) {
  return sha256_hex({reinterpret_cast<const char*>(raster.rgb.data()), raster.rgb.size()}).substr(0, 16);
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
  CHECK_THAT(complaint(bytes, limit), contains_text(wanted));
}

std::string part_of_text(const std::string& text, const std::string& from, const std::string& to) {
  std::string changed = text;
  const auto at = changed.find(from);
  REQUIRE(at != std::string::npos);
  return changed.replace(at, from.size(), to);
}

// What a photograph is without the mark of its end.
std::string endless(const std::string& name) {
  const auto whole = photograph(name);
  REQUIRE(whole.ends_with("\xff\xd9"));
  return whole.substr(0, whole.size() - 2);
}

// Whether parts of these bytes are parts of the whole, or refused as the whole is.
void check_parts(const std::string& bytes, RandomStream& random, int64_t limit = kMostPixels) {
  const bool refused = complaint(bytes, limit) != "no complaint";
  const auto whole = refused ? Raster() : decode_image(bytes, "photo", limit);
  for (int i = 0; i < 8; ++i) {
    Box wanted;
    const auto choose = [&](int64_t width, int64_t height) { return wanted = test::draw_box(width, height, random); };
    if (refused) {
      CHECK_THROWS_AS(decode_part(bytes, "photo", choose, limit), UserError);
      continue;
    }
    const auto part = decode_part(bytes, "photo", choose, limit);
    INFO(wanted.left << ", " << wanted.top << ", " << wanted.width << " x " << wanted.height);
    CHECK(test::shows(part, wanted, whole));
  }
}

}  // namespace

TEST_CASE("photographs of every kind decode to Pillow's bytes, and so do parts of them", "[datasets]") {
  RandomStream random(stream_seed(0, "parts"));
  const auto all = known_photographs();
  CHECK(all.size() > 20);
  for (const auto& known : all) {
    INFO(known.name);
    const auto raster = decode_image(photograph(known.name), known.name);
    CHECK(raster.width == known.width);
    CHECK(raster.height == known.height);
    CHECK(digest(raster) == known.digest);
    check_parts(photograph(known.name), random);
  }
}

TEST_CASE("what is no photograph, or only a part of one, is refused", "[datasets]") {
  check_complaint("", "photo: is empty");
  check_complaint("GIF89a", "neither JPEG nor PNG");
  check_complaint(photograph("grey16.png"), "16-bit grey PNG");
  check_complaint(photograph("two-components.jpg"), "a JPEG of 2 components: 1, 3 or 4 are read");
  check_complaint(part_of_text(photograph("colour.jpg"), std::string("\xff\xc0\x00\x11\x08", 5),
                               std::string("\xff\xc0\x00\x11\x0c", 5)),
                  "12");
  for (const char* name : {"colour.jpg", "progressive.jpg", "colour.png"}) {
    const auto whole = photograph(name);
    INFO(name);
    // A PNG's last 16 bytes say nothing about its pixels: a checksum and the mark of its end.
    const size_t needed = whole.size() - (name == std::string("colour.png") ? 16 : 0);
    for (size_t kept = 0; kept < needed; ++kept) CHECK(complaint(whole.substr(0, kept)) != "no complaint");
  }
}

TEST_CASE("a JPEG is refused whose decoding ends in an error, whatever came before", "[datasets]") {
  const auto whole = photograph("colour.jpg"), progressive = photograph("progressive.jpg");
  // A warning first: bytes that belong to no segment. Then a scan of coefficients that there are not.
  const auto warned = whole.substr(0, 20) + "\x11\"3" + whole.substr(20);
  CHECK(complaint(warned) == "no complaint");
  CHECK(decode_image(warned, "warned").rgb == decode_image(whole, "whole").rgb);
  const auto warned_progressive = progressive.substr(0, 20) + "\x11\"3" + progressive.substr(20);
  CHECK(complaint(warned_progressive) == "no complaint");
  auto wrong = warned_progressive;
  const auto last_scan = wrong.rfind("\xff\xda");
  wrong[last_scan + 4 + 1 + 2 * static_cast<size_t>(wrong[last_scan + 4])] = 70;  // where its spectrum begins
  check_complaint(wrong, "broken JPEG: Invalid progressive parameters");
  // Half a photograph, and another behind it: libjpeg fills the rest with grey and meets a second beginning.
  for (size_t kept = whole.size() - 20; kept < whole.size() - 2; ++kept) {
    INFO(kept);
    check_complaint(whole.substr(0, kept) + whole, "broken JPEG: Invalid JPEG file structure: two SOI markers");
  }
  check_complaint(endless("colour.jpg") + whole, "two SOI markers");
}

TEST_CASE("a JPEG without the mark of its end is read where no line is missing", "[datasets]") {
  const auto digest_of = [](const std::string& bytes) { return digest(decode_image(bytes, "photo")); };
  const auto wanted = digest_of(photograph("colour.jpg"));
  const auto open = endless("colour.jpg");
  CHECK(digest_of(open + std::string(40, '\0')) == wanted);
  CHECK(digest_of(open + std::string(200'000, '\0')) == wanted);
  CHECK(digest_of(open + std::string(40, '\0') + "\xff\xd9") == wanted);
  // Pillow looks no further than the block of 64 KiB in which the last line ends.
  const std::string filled = open + std::string((size_t{1} << 16) - open.size(), '\0');
  CHECK(digest_of(filled + photograph("colour.jpg")) == wanted);
  CHECK(digest_of(filled.substr(0, filled.size() - 1) + photograph("colour.jpg")) == wanted);
  check_complaint(filled.substr(0, filled.size() - 2) + photograph("colour.jpg"), "two SOI markers");
  // Several scans are read to their end mark before the first line comes.
  check_complaint(endless("progressive.jpg"), "truncated");
  check_complaint(endless("progressive.jpg") + std::string(40, '\0'), "truncated");
  // A second photograph behind a whole one is another matter.
  CHECK(digest_of(photograph("colour.jpg") + photograph("cmyk.jpg")) == wanted);
}

TEST_CASE("a photograph is decoded by its own tables, whatever was decoded before", "[datasets]") {
  const auto whole = photograph("colour.jpg");
  decode_image(whole, "before");
  auto without = whole;
  for (size_t at = without.find("\xff\xdb"); at != std::string::npos; at = without.find("\xff\xdb"))
    without.erase(at, 2 + static_cast<unsigned char>(without[at + 3]));
  check_complaint(without, "Quantization table 0x00 was not defined");
}

TEST_CASE("chunks that a PNG's pixels do not need decide nothing", "[datasets]") {
  const auto plain = photograph("colour.png");
  const auto wanted = decode_image(plain, "plain").rgb;
  const size_t behind_header = 8 + 25;
  const auto with = [&](std::string chunk, uint32_t length) {
    std::string text = plain.substr(0, behind_header);
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(length >> shift & 0xff);
    return text + chunk + plain.substr(behind_header);
  };
  for (const char* name : {"eXIf", "tEXt", "zTXt", "iTXt", "iCCP", "gAMA", "cHRM", "sRGB", "tRNS", "bKGD", "hIST",
                           "pHYs", "sPLT", "tIME", "acTL", "fcTL", "prVt", "OWNs"})
    for (const size_t length : {size_t{0}, size_t{1}, size_t{300}, size_t{20} << 20}) {
      INFO(name << ", " << length);
      CHECK(decode_image(with(name + std::string(length, 'x') + "none", static_cast<uint32_t>(length)), name).rgb ==
            wanted);
    }
  check_complaint(with("tEXt", 0x7fffffff), "broken PNG");
}

TEST_CASE("a huge size is refused before memory is taken for it", "[datasets]") {
  auto png = photograph("colour.png");
  check_complaint(png, "declares 4 x 3 pixels, at most 11", 11);
  auto jpeg = photograph("colour.jpg");
  const auto frame = jpeg.find("\xff\xc0");
  for (size_t i = 5; i < 9; i += 2) jpeg.replace(frame + i, 2, "\xea\x60");
  check_complaint(jpeg, "declares 60000 x 60000 pixels");
}

TEST_CASE("damaged bytes are refused or decoded, in parts as in the whole, and never more than that", "[datasets]") {
  RandomStream chance(stream_seed(0, "damage"));
  for (const auto& known : known_photographs()) {
    const auto whole = photograph(known.name);
    for (int attempt = 0; attempt < 40; ++attempt) {
      auto damaged = whole;
      for (uint64_t left = 1 + chance.below(4); left > 0; --left)
        damaged[chance.below(damaged.size())] = static_cast<char>(chance.below(256));
      INFO(known.name << ", attempt " << attempt);
      check_parts(damaged, chance, 1 << 20);
    }
  }
}

TEST_CASE("the photographs that the program carries come out as Pillow made them", "[datasets]") {
  CHECK(shipped_photographs().size() == 4);
  for (const auto& photograph : shipped_photographs())
    CHECK(photograph_fingerprint(bytes_of_hex(photograph.hex), "a photograph") == photograph.fingerprint);
}
