#include "base/files/file.h"

#include "base/files/sha256.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;

TEST_CASE("a line appended after a cut one stands alone", "[base]") {
  const test::TempFolder folder;
  const auto path = folder.path() / "lines";
  append_lines(path, "one\n");
  write_file_atomically(path, "one\ntw");
  append_lines(path, "three\n");
  CHECK(read_file(path) == "one\ntw\nthree\n");
}

TEST_CASE("a file that is not there is named with the reason and the caller's code", "[base]") {
  try {
    read_file("/nowhere/at/all", ExitCode::invalid_suite);
    FAIL("no error");
  } catch (const UserError& error) {
    CHECK(std::string(error.what()) == "/nowhere/at/all: cannot be read: No such file or directory");
    CHECK(error.code() == ExitCode::invalid_suite);
  }
}

TEST_CASE("SHA-256 agrees with the standard's examples, in memory and from a file", "[base]") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const test::TempFolder folder;
  const std::string million(1000000, 'a');
  write_file_atomically(folder.path() / "a", million);
  CHECK(sha256_file(folder.path() / "a") == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
