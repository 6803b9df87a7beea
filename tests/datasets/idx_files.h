// Small IDX files for tests, plain and gzip.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/files/file.h"

namespace auxbench::test {

inline std::string idx_bytes(const std::vector<uint32_t>& shape, const std::vector<uint8_t>& values) {
  std::string bytes = {'\0', '\0', '\x08', static_cast<char>(shape.size())};
  for (const auto extent : shape)
    for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes.push_back(static_cast<char>((extent >> shift) & 0xFFU));
  bytes.append(values.begin(), values.end());
  return bytes;
}

inline std::string gzip_bytes(std::string_view bytes) {
  std::string source(bytes), packed(bytes.size() + 1024, '\0');
  z_stream stream{};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(source.data());
  stream.avail_in = static_cast<uInt>(source.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

// Six training and two test images of 2 x 3; training pixels count up from 0, test pixels from 100.
struct TinyFiles {
  std::string train_images = idx_bytes({6, 2, 3}, counting(0, 36));
  std::string train_labels = idx_bytes({6}, {0, 1, 2, 3, 4, 9});
  std::string test_images = idx_bytes({2, 2, 3}, counting(100, 12));
  std::string test_labels = idx_bytes({2}, {7, 8});

  static std::vector<uint8_t> counting(uint8_t first, size_t count) {
    std::vector<uint8_t> values;
    for (size_t i = 0; i < count; ++i) values.push_back(static_cast<uint8_t>(first + i));
    return values;
  }
  void write(const std::filesystem::path& folder, bool gzip = false) const {
    const auto put = [&](const char* name, const std::string& bytes) {
      write_file_atomically(folder / (std::string(name) + (gzip ? ".gz" : "")), gzip ? gzip_bytes(bytes) : bytes);
    };
    make_folder(folder);
    put("train-images-idx3-ubyte", train_images);
    put("train-labels-idx1-ubyte", train_labels);
    put("t10k-images-idx3-ubyte", test_images);
    put("t10k-labels-idx1-ubyte", test_labels);
  }
};

}  // namespace auxbench::test
