#include "datasets/sources/gzip_file.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>

#include "base/error.h"

namespace auxbench {
namespace {

constexpr size_t kStep = size_t{1} << 20;

struct Closing {
  void operator()(gzFile file) const { gzclose_r(file); }
};
using File = std::unique_ptr<gzFile_s, Closing>;

File open_file(const std::filesystem::path& path, size_t limit) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) refuse_data(path.string(), "cannot be read: " + error.message());
  if (size > limit)
    refuse_data(path.string(), std::to_string(size) + " bytes, at most " + std::to_string(limit) + " are read");
  errno = 0;
  File file(gzopen(path.c_str(), "rb"));
  if (file == nullptr) {
    if (errno == 0) throw std::bad_alloc();
    refuse_data(path.string(), std::string("cannot be read: ") + std::strerror(errno));
  }
  gzbuffer(file.get(), kStep / 8);
  return file;
}

[[noreturn]] void refuse_status(int status, size_t unpacked, const std::string& place) {
  if (status == Z_MEM_ERROR) throw std::bad_alloc();
  if (status == Z_ERRNO) refuse_data(place, std::string("cannot be read: ") + std::strerror(errno));
  refuse_data(place, "damaged gzip data after " + std::to_string(unpacked) + " unpacked bytes");
}

}  // namespace

UnpackedFile read_unpacked(const std::filesystem::path& path, size_t limit) {
  const auto file = open_file(path, limit);
  UnpackedFile result;
  size_t used = 0;
  for (;;) {
    if (used > limit) refuse_data(path.string(), "unpacks to more than " + std::to_string(limit) + " bytes");
    if (used == result.bytes.size()) result.bytes.resize(std::min(std::max(2 * used, kStep), limit + 1));
    const size_t room = std::min(result.bytes.size() - used, kStep);
    const int got = gzread(file.get(), result.bytes.data() + used, static_cast<unsigned>(room));
    int status = Z_OK;
    gzerror(file.get(), &status);
    if (got < 0) refuse_status(status, used, path.string());
    used += static_cast<size_t>(got);
    if (static_cast<size_t>(got) == room) continue;
    // zlib says so where the file ends before its last member does.
    result.complete = status != Z_BUF_ERROR;
    result.bytes.resize(used);
    return result;
  }
}

}  // namespace auxbench
