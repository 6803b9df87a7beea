#include "datasets/sources/idx.h"

#include "base/error.h"
#include "base/files/sha256.h"
#include "tests/datasets/idx_files.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;
using test::gzip_bytes;
using test::idx_bytes;

namespace {

const std::string kSmall = idx_bytes({2, 3}, {1, 2, 3, 4, 5, 6});  // 12 bytes of header, 6 of values

// The message of the UserError that reading a file of these bytes throws, after its path and ": ".
std::string complaint(const std::string& bytes, size_t limit = kIdxLimit) {
  const test::TempFolder folder;
  const auto path = folder.path() / "file";
  write_file_atomically(path, bytes);
  try {
    read_idx(path, limit);
  } catch (const UserError& error) {
    CHECK(error.code() == ExitCode::data_missing);
    const std::string message = error.what(), place = path.string() + ": ";
    CHECK(message.substr(0, place.size()) == place);
    CHECK(message.find('\n') == std::string::npos);
    return message.substr(place.size());
  }
  return "nothing";
}

}  // namespace

TEST_CASE("an IDX file reads the same plain, gzip and in several members", "[datasets]") {
  const test::TempFolder folder;
  // gzip files may be put together: what they hold follows one another. What is none is passed over.
  const auto halves = gzip_bytes(kSmall.substr(0, 7)) + gzip_bytes("") + gzip_bytes(kSmall.substr(7));
  for (const auto& bytes : {kSmall, gzip_bytes(kSmall), halves, gzip_bytes(kSmall) + std::string(512, '\0')}) {
    write_file_atomically(folder.path() / "file", bytes);
    const auto array = read_idx(folder.path() / "file");
    CHECK(array.shape == std::vector<int64_t>{2, 3});
    CHECK(array.values == std::vector<uint8_t>{1, 2, 3, 4, 5, 6});
    CHECK(array.digest == sha256_hex(kSmall));
  }
}

TEST_CASE("a cut IDX file says how many bytes were expected and found", "[datasets]") {
  CHECK(complaint(kSmall.substr(0, 15)) == "truncated: expected 18 bytes, got 15");
  CHECK(complaint(kSmall.substr(0, 9)) == "truncated: expected 12 bytes, got 9");
  CHECK(complaint("") == "truncated: expected 4 bytes, got 0");
}

TEST_CASE("a cut gzip file is truncated wherever it is cut", "[datasets]") {
  const auto packed = gzip_bytes(idx_bytes({5000}, std::vector<uint8_t>(5000, 7)));
  for (size_t size = 2; size < packed.size(); ++size) {
    INFO(size);
    CHECK(complaint(packed.substr(0, size)).substr(0, 10) == "truncated:");
  }
  // The values are all there, the checksum is not.
  CHECK(complaint(packed.substr(0, packed.size() - 8)) == "truncated: the end of the gzip data is missing");
  const auto halves = gzip_bytes(kSmall.substr(0, 7)) + gzip_bytes(kSmall.substr(7));
  CHECK(complaint(halves.substr(0, halves.size() - 1)) == "truncated: the end of the gzip data is missing");
}

TEST_CASE("a gzip file with a flipped bit is refused", "[datasets]") {
  auto packed = gzip_bytes(kSmall);
  packed[packed.size() - 8] = static_cast<char>(packed[packed.size() - 8] ^ 1);  // of its CRC
  CHECK(complaint(packed).substr(0, 17) == "damaged gzip data");
}

TEST_CASE("bytes after the end are refused", "[datasets]") {
  CHECK(complaint(kSmall + "x") == "expected 18 bytes, got 19");
  CHECK(complaint(gzip_bytes(kSmall + "x")) == "expected 18 bytes, got 19");
  CHECK(complaint(gzip_bytes(kSmall) + gzip_bytes("x")) == "expected 18 bytes, got 19");
}

TEST_CASE("another magic number is no IDX file of bytes", "[datasets]") {
  auto floats = kSmall, scalar = kSmall, deep = kSmall;
  floats[2] = '\x0D';
  scalar[3] = '\0';
  deep[3] = '\x05';
  for (const auto& bytes : {floats, scalar, deep, std::string("PK\3\4 some archive")})
    CHECK(complaint(bytes).substr(0, 12) == "not an IDX f");
}

TEST_CASE("neither the file nor what it claims nor what it unpacks to may exceed the limit", "[datasets]") {
  CHECK(complaint(kSmall, 18) == "nothing");
  CHECK(complaint(kSmall, 17) == "18 bytes, at most 17 are read");
  CHECK(complaint(idx_bytes({0xFFFFFFFFU, 0xFFFFFFFFU, 0xFFFFFFFFU, 0xFFFFFFFFU}, {})) ==
        "claims more than 1073741824 elements");
  const auto bomb = gzip_bytes(std::string(1 << 20, '\0'));
  REQUIRE(bomb.size() < 2048);
  CHECK(complaint(bomb, 100000) == "unpacks to more than 100000 bytes");
}

TEST_CASE("a missing file is named", "[datasets]") {
  const test::TempFolder folder;
  CHECK_THROWS_AS(read_idx(folder.path() / "nowhere"), UserError);
  CHECK_THROWS_AS(read_idx(folder.path()), UserError);
}
