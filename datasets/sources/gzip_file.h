// A file that may be packed by gzip, told apart by content: plain, one gzip member, or several one after another.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace auxbench {

struct UnpackedFile {
  std::string bytes;
  bool complete = false;  // the end of the last member and its checksum were seen; otherwise the file was cut
};

// By zlib, which passes over what follows the last member and is none, as gzip itself does with a warning. Never more
// than `limit` bytes are kept. Throws UserError(data_missing) "PATH: ..." for a file that cannot be read, is larger than
// `limit`, packed or unpacked, or is damaged.
UnpackedFile read_unpacked(const std::filesystem::path& path, size_t limit);

}  // namespace auxbench
