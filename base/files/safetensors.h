// The safetensors file: u64 little-endian header length, JSON header, tensor bytes (row-major, little-endian).
//
// Torch-free. Reading trusts nothing: header length, offsets (in bounds, no holes, no overlap), dtype,
// shape and byte counts are checked, and a UserError names the file and the tensor at fault, or what the file is where
// it is none of safetensors (file_kind.h). Every dtype of the format is read, listed and written; which of them are
// computed with is models/weights.h's to say.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace auxbench {

struct SafeTensor {
  // "F64" "F32" "F16" "BF16" "F8_E4M3" "F8_E5M2" "F8_E8M0" "F8_E4M3FNUZ" "F8_E5M2FNUZ" "F6_E2M3" "F6_E3M2" "F4" "C64"
  // "I64" "I32" "I16" "I8" "U64" "U32" "U16" "U8" "BOOL"
  std::string dtype;
  std::vector<int64_t> shape;  // empty for a scalar
  std::string bytes;           // numel * size of dtype
};

// Its elements, where T is what its dtype says; none of an empty one, whose bytes may be nowhere.
template <typename T>
std::vector<T> elements_of(const SafeTensor& tensor) {
  static_assert(std::is_arithmetic_v<T> && std::endian::native == std::endian::little, "as they lie in the file");
  std::vector<T> elements(tensor.bytes.size() / sizeof(T));
  if (!elements.empty()) std::memcpy(elements.data(), tensor.bytes.data(), elements.size() * sizeof(T));
  return elements;
}

struct SafeTensors {
  std::map<std::string, SafeTensor> tensors;
  std::map<std::string, std::string> metadata;  // "__metadata__"
};

// UTF-8, and not "__metadata__".
bool is_tensor_name(std::string_view name);

// Bytes. Throws UserError for an unknown dtype, and for F4 and F6, whose elements are no whole bytes.
int64_t safetensors_element_size(std::string_view dtype);

SafeTensors parse_safetensors(std::string_view bytes, const std::string& place);
std::string dump_safetensors(const SafeTensors& contents);  // tensors in name order; deterministic

SafeTensors read_safetensors(const std::filesystem::path& path);
void write_safetensors(const std::filesystem::path& path, const SafeTensors& contents);  // atomically

}  // namespace auxbench
