// The IDX file of MNIST and its kin: 00 00 08 RANK, RANK big-endian 32-bit extents, then bytes in row-major order.
//
// Plain or gzip (gzip_file.h). Only the element type 08 (unsigned byte) and ranks 1 to 4 are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace auxbench {

struct IdxArray {
  std::vector<int64_t> shape;
  std::vector<uint8_t> values;  // as many as the shape says
  std::string digest;           // SHA-256 of the unpacked file: the same for plain and gzip
};

inline constexpr size_t kIdxLimit = size_t{1} << 30;

// Throws UserError(data_missing) "PATH: ..." for anything else than one whole IDX file of at most `limit` bytes, packed
// and unpacked. A cut file says "truncated: expected N bytes, got M", both counted unpacked.
IdxArray read_idx(const std::filesystem::path& path, size_t limit = kIdxLimit);

}  // namespace auxbench
