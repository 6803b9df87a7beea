#include "datasets/sources/gunzip.h"

#ifndef ZLIB_CONST
#define ZLIB_CONST
#endif
#include <zlib.h>

#include <algorithm>
#include <new>
#include <stdexcept>

#include "base/check.h"
#include "base/error.h"

namespace auxbench {
namespace {

constexpr size_t kFirstChunk = size_t{1} << 16;
constexpr size_t kLimitOfZlib = size_t{1} << 31;  // zlib counts in 32 bits
constexpr int kGzipOnly = 15 + 16;                // largest window, gzip wrapper

class Inflater {
 public:
  explicit Inflater(std::string_view packed) {
    AUXBENCH_CHECK(packed.size() < kLimitOfZlib, "less than 2 GiB of gzip data");
    stream_.next_in = reinterpret_cast<const Bytef*>(packed.data());
    stream_.avail_in = static_cast<uInt>(packed.size());
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Fills `bytes` from `used` on and advances it; zlib's status.
  int fill(std::string& bytes, size_t& used) {
    stream_.next_out = reinterpret_cast<Bytef*>(bytes.data() + used);
    stream_.avail_out = static_cast<uInt>(bytes.size() - used);
    const int status = inflate(&stream_, Z_NO_FLUSH);
    used = bytes.size() - stream_.avail_out;
    return status;
  }
  [[nodiscard]] size_t left() const { return stream_.avail_in; }

 private:
  z_stream stream_{};
};

}  // namespace

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

Gunzipped gunzip(std::string_view packed, size_t limit, const std::string& place) {
  AUXBENCH_CHECK(limit < kLimitOfZlib, "a limit below 2 GiB");
  Inflater inflater(packed);
  Gunzipped result;
  size_t used = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    if (used > limit) refuse_data(place, "unpacks to more than " + std::to_string(limit) + " bytes");
    if (used == result.bytes.size()) result.bytes.resize(std::min(std::max(2 * used, kFirstChunk), limit + 1));
    status = inflater.fill(result.bytes, used);
  }
  if (status == Z_MEM_ERROR) throw std::bad_alloc();
  if (used > limit) refuse_data(place, "unpacks to more than " + std::to_string(limit) + " bytes");
  if (status != Z_STREAM_END && status != Z_BUF_ERROR)
    refuse_data(place, "damaged gzip data after " + std::to_string(used) + " unpacked bytes");
  result.complete = status == Z_STREAM_END;
  if (result.complete && inflater.left() > 0)
    refuse_data(place, std::to_string(inflater.left()) + " bytes after the end of the gzip data");
  result.bytes.resize(used);
  return result;
}

}  // namespace auxbench
