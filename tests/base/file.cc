#include "base/files/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <thread>

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

TEST_CASE("a pipe and what a file descriptor leads to are written through, not replaced", "[base]") {
  const test::TempFolder folder;
  const auto pipe_name = folder.path() / "pipe";
  REQUIRE(mkfifo(pipe_name.c_str(), 0600) == 0);
  std::string read;
  std::thread reader([&] { read = read_file(pipe_name); });
  write_file_atomically(pipe_name, "through");
  reader.join();
  CHECK(read == "through");
  CHECK(std::filesystem::is_fifo(pipe_name));
  const auto link = folder.path() / "link";
  std::filesystem::create_symlink(pipe_name, link);
  std::thread second([&] { read = read_file(pipe_name); });
  write_file_atomically(link, "by a link");
  second.join();
  CHECK(read == "by a link");
  CHECK(std::filesystem::is_symlink(link));
  const auto file = folder.path() / "file";
  const int open_file = open(file.c_str(), O_RDWR | O_CREAT, 0600);
  REQUIRE(open_file >= 0);
  write_file_atomically("/proc/self/fd/" + std::to_string(open_file), "the open file");
  std::array<char, 32> found{};
  CHECK(pread(open_file, found.data(), found.size(), 0) == 13);  // the very file, not another of its name
  close(open_file);
}

TEST_CASE("a device is written through, a full one is an error, and a disk is refused", "[base]") {
  const test::TempFolder folder;
  const auto device = [&](const char* name, mode_t kind, unsigned major, unsigned minor) {
    auto path = folder.path() / name;
    return mknod(path.c_str(), kind | 0600U, makedev(major, minor)) == 0 ? path : std::filesystem::path();
  };
  const auto null = device("null", S_IFCHR, 1, 3), full = device("full", S_IFCHR, 1, 7),
             disk = device("disk", S_IFBLK, 7, 199);
  if (null.empty() || full.empty() || disk.empty()) {
    WARN("device nodes cannot be made here: not tried");
    return;
  }
  write_file_atomically(null, "gone");
  CHECK(std::filesystem::is_character_file(null));
  CHECK_THROWS_WITH(write_file_atomically(full, "x"), full.string() + ": cannot be written: No space left on device");
  CHECK(std::filesystem::is_character_file(full));
  CHECK_THROWS_WITH(write_file_atomically(disk, "x"), disk.string() + ": is a disk, and is not written to");
  CHECK(std::filesystem::is_block_file(disk));
}
