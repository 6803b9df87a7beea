// The safetensors file: u64 little-endian header length, JSON header, tensor bytes (row-major, little-endian).
//
// Torch-free. Reading trusts nothing: header length, offsets (in bounds, no holes, no overlap), dtype,
// shape and byte counts are checked, and a UserError names the file and the tensor at fault.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace auxbench {

struct SafeTensor {
  std::string dtype;           // "F64" "F32" "F16" "BF16" "I64" "I32" "I16" "I8" "U8" "BOOL"
  std::vector<int64_t> shape;  // empty for a scalar
  std::string bytes;           // numel * size of dtype
};

struct SafeTensors {
  std::map<std::string, SafeTensor> tensors;
  std::map<std::string, std::string> metadata;  // "__metadata__"
};

// UTF-8, and not "__metadata__".
bool is_tensor_name(std::string_view name);

int64_t safetensors_element_size(std::string_view dtype);  // throws UserError for an unknown dtype

SafeTensors parse_safetensors(std::string_view bytes, const std::string& place);
std::string dump_safetensors(const SafeTensors& contents);  // tensors in name order; deterministic

SafeTensors read_safetensors(const std::filesystem::path& path);
void write_safetensors(const std::filesystem::path& path, const SafeTensors& contents);  // atomically

}  // namespace auxbench
