#include "base/files/whole_safetensors.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/files/json_depth.h"
#include "base/files/safetensors_prefix.h"

namespace auxbench {
namespace {

// The bytes of all tensors, as the header says; UINT64_MAX where it says nothing of the kind.
uint64_t bytes_of_tensors(const std::string& header) {
  if (nested_deeper_than(header, kJsonLevels)) return UINT64_MAX;
  const auto json = nlohmann::json::parse(header, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return UINT64_MAX;
  uint64_t bytes = 0;
  for (const auto& [name, entry] : json.items()) {
    if (name == "__metadata__") continue;
    const auto offsets = entry.is_object() ? entry.find("data_offsets") : entry.end();
    if (offsets == entry.end() || offsets->size() != 2 || !offsets->back().is_number_unsigned()) return UINT64_MAX;
    bytes = std::max(bytes, offsets->back().get<uint64_t>());
  }
  return bytes;
}

}  // namespace

bool is_whole_safetensors(const std::filesystem::path& path) {
  std::error_code unknown;
  const uint64_t size = std::filesystem::file_size(path, unknown);
  std::ifstream file(path, std::ios::binary);
  std::array<char, kSafetensorsPrefixBytes> prefix{};
  if (unknown || size < prefix.size() || !file.read(prefix.data(), prefix.size())) return false;
  const auto header_bytes = safetensors_header_bytes({prefix.data(), prefix.size()});
  if (header_bytes > size - prefix.size()) return false;
  std::string header(header_bytes, '\0');
  if (!file.read(header.data(), static_cast<std::streamsize>(header.size()))) return false;
  return bytes_of_tensors(header) == size - prefix.size() - header_bytes;
}

}  // namespace auxbench
