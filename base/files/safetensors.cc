#include "base/files/safetensors.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/files/file.h"
#include "base/files/file_kind.h"
#include "base/files/safetensors_prefix.h"

namespace auxbench {
namespace {

using Json = nlohmann::json;

constexpr size_t kAlignment = 8;
constexpr size_t kDepthLimit = 3;  // header, tensor, shape
constexpr size_t kQuotedLimit = 80;
constexpr const char* kMetadata = "__metadata__";

struct TypeSize {
  std::string_view name;
  int64_t bits;
};
constexpr std::array<TypeSize, 22> kTypes = {
    {{"F64", 64},    {"F32", 32},        {"F16", 16},        {"BF16", 16},   {"F8_E4M3", 8}, {"F8_E5M2", 8},
     {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4},
     {"C64", 64},    {"I64", 64},        {"I32", 32},        {"I16", 16},    {"I8", 8},      {"U64", 64},
     {"U32", 32},    {"U16", 16},        {"U8", 8},          {"BOOL", 8}}};

// Names come from the file: quoted and cut, so that a message stays one line.
std::string quote(std::string_view text) {
  const bool cut = text.size() > kQuotedLimit;
  const auto shown = std::string(text.substr(0, kQuotedLimit)) + (cut ? "..." : "");
  return Json(shown).dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::optional<int64_t> find_bits(std::string_view dtype) {
  for (const auto& [name, bits] : kTypes)
    if (name == dtype) return bits;
  return std::nullopt;
}

// Of elements of so many bits; nothing when a dimension is negative, the product leaves int64 or is no whole bytes.
std::optional<int64_t> byte_count(const std::vector<int64_t>& shape, int64_t element_bits) {
  constexpr int64_t kByte = 8;
  const bool whole = element_bits % kByte == 0;
  int64_t count = whole ? element_bits / kByte : element_bits;
  for (const auto extent : shape) {
    if (extent < 0 || (extent != 0 && count > std::numeric_limits<int64_t>::max() / extent)) return std::nullopt;
    count *= extent;
  }
  if (whole) return count;
  return count % kByte == 0 ? std::optional(count / kByte) : std::nullopt;
}

struct Entry {
  std::string name;
  SafeTensor tensor;  // without its bytes
  uint64_t begin = 0, end = 0;
};

// Refuses what a tree of values would hide or choke on: a key given twice, nesting the format does not have.
class HeaderGuard {
 public:
  explicit HeaderGuard(const std::string& place) : place_(place) {}

  void see(Json::parse_event_t event, const Json& value) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) keys_.emplace_back();
    if (event == Event::object_end || event == Event::array_end) keys_.pop_back();
    if (keys_.size() > kDepthLimit) refuse_data(place_, "header is nested too deeply");
    if (event == Event::key && !keys_.back().insert(value.get<std::string>()).second)
      refuse_data(place_, quote(value.get<std::string>()) + " is given twice");
  }

 private:
  const std::string& place_;
  std::vector<std::set<std::string>> keys_;
};

Json parse_header(std::string_view header, const std::string& place) {
  // The parser would take a byte order mark for nothing and a NUL for the end.
  if (!header.starts_with('{') || header.find('\0') != std::string_view::npos)
    refuse_data(place, "header is not a JSON object");
  HeaderGuard guard(place);
  const auto watch = [&guard](int, Json::parse_event_t event, Json& value) {
    guard.see(event, value);
    return true;
  };
  try {
    return Json::parse(header, watch);
  } catch (const Json::parse_error& error) {
    refuse_data(place, "header is not JSON, byte " + std::to_string(error.byte));
  } catch (const Json::exception&) {
    refuse_data(place, "header holds a number that is out of range");
  }
}

std::map<std::string, std::string> parse_metadata(const Json& json, const std::string& place) {
  std::map<std::string, std::string> metadata;
  if (!json.is_object()) refuse_data(place, "__metadata__ is not an object");
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) refuse_data(place, "__metadata__: " + quote(key) + " is not a string");
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

std::vector<uint64_t> parse_integers(const Json& json, const std::string& place) {
  std::vector<uint64_t> integers;
  if (!json.is_array()) refuse_data(place, "is not a list");
  for (const auto& item : json) {
    if (!item.is_number_unsigned()) refuse_data(place, quote(item.dump()) + " is not an integer >= 0 of 64 bits");
    integers.push_back(item.get<uint64_t>());
  }
  return integers;
}

Entry parse_entry(const std::string& name, const Json& json, uint64_t data_size, const std::string& place) {
  Entry entry;
  entry.name = name;
  for (const char* key : {"dtype", "shape", "data_offsets"})
    if (!json.is_object() || !json.contains(key)) refuse_data(place, std::string(key) + " is missing");
  if (json.size() != 3) refuse_data(place, "has keys beside dtype, shape and data_offsets");

  if (!json["dtype"].is_string()) refuse_data(place, "dtype is not a string");
  entry.tensor.dtype = json["dtype"].get<std::string>();
  const auto element_bits = find_bits(entry.tensor.dtype);
  if (!element_bits) refuse_data(place, "unknown dtype " + quote(entry.tensor.dtype));

  for (const auto extent : parse_integers(json["shape"], place + ": shape")) {
    if (!std::in_range<int64_t>(extent)) refuse_data(place, "shape overflows");
    entry.tensor.shape.push_back(static_cast<int64_t>(extent));
  }
  const auto bytes = byte_count(entry.tensor.shape, *element_bits);
  if (!bytes) refuse_data(place, *element_bits % 8 == 0 ? "shape overflows" : "shape overflows, or is no whole bytes");

  const auto offsets = parse_integers(json["data_offsets"], place + ": data_offsets");
  if (offsets.size() != 2 || offsets[0] > offsets[1]) refuse_data(place, "data_offsets are not [begin, end]");
  entry.begin = offsets[0];
  entry.end = offsets[1];
  if (entry.end > data_size)
    refuse_data(place, "ends at byte " + std::to_string(entry.end) + ", the data have " + std::to_string(data_size));
  const auto found = entry.end - entry.begin;
  if (found != static_cast<uint64_t>(*bytes))
    refuse_data(place, "holds " + std::to_string(found) + " bytes, its shape needs " + std::to_string(*bytes));
  return entry;
}

// Every byte of the data belongs to exactly one tensor.
void check_tiling(std::vector<Entry>& entries, uint64_t data_size, const std::string& place) {
  std::sort(entries.begin(), entries.end(), [](const Entry& left, const Entry& right) {
    return std::pair(left.begin, left.end) < std::pair(right.begin, right.end);
  });
  uint64_t covered = 0;
  for (const auto& entry : entries) {
    if (entry.begin != covered)
      refuse_data(place, "tensor " + quote(entry.name) + ": " +
                             (entry.begin < covered ? "overlaps another" : "leaves a hole before it"));
    covered = entry.end;
  }
  if (covered != data_size) refuse_data(place, std::to_string(data_size - covered) + " bytes belong to no tensor");
}

Json header_of(const SafeTensors& contents) {
  auto header = Json::object();
  if (!contents.metadata.empty()) header[kMetadata] = contents.metadata;
  uint64_t offset = 0;
  for (const auto& [name, tensor] : contents.tensors) {
    AUXBENCH_CHECK(name != kMetadata, "a tensor name other than __metadata__");
    const auto element_bits = find_bits(tensor.dtype);
    AUXBENCH_CHECK(element_bits.has_value(), "a dtype of safetensors for " + name);
    const auto bytes = byte_count(tensor.shape, *element_bits);
    AUXBENCH_CHECK(bytes && std::cmp_equal(*bytes, tensor.bytes.size()), "as many bytes as the shape of " + name);
    const uint64_t end = offset + tensor.bytes.size();
    header[name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  return header;
}

}  // namespace

bool is_tensor_name(std::string_view name) {
  // What is not UTF-8 is replaced, and does not come back.
  const auto written = Json(std::string(name)).dump(-1, ' ', false, Json::error_handler_t::replace);
  return name != kMetadata && Json::parse(written) == name;
}

int64_t safetensors_element_size(std::string_view dtype) {
  const auto bits = find_bits(dtype);
  if (!bits) refuse_data("safetensors", "unknown dtype " + quote(dtype));
  if (*bits % 8 != 0) refuse_data("safetensors", std::string(dtype) + " has no whole bytes");
  return *bits / 8;
}

SafeTensors parse_safetensors(std::string_view bytes, const std::string& place) {
  if (!starts_as_safetensors(bytes))
    if (const auto other = foreign_format(bytes); !other.empty()) refuse_data(place, other);
  if (bytes.size() < kSafetensorsPrefixBytes)
    refuse_data(place, "truncated: " + std::to_string(bytes.size()) + " bytes");
  const auto header_size = safetensors_header_bytes(bytes);
  if (header_size > kLongestSafetensorsHeader)
    refuse_data(place, "header of " + std::to_string(header_size) + " bytes, at most " +
                           std::to_string(kLongestSafetensorsHeader) + " make a safetensors file");
  if (header_size > bytes.size() - kSafetensorsPrefixBytes)
    refuse_data(place, "truncated: header of " + std::to_string(header_size) + " bytes, " +
                           std::to_string(bytes.size() - kSafetensorsPrefixBytes) + " are there");
  const auto header = parse_header(bytes.substr(kSafetensorsPrefixBytes, header_size), place);
  const auto data = bytes.substr(kSafetensorsPrefixBytes + header_size);

  SafeTensors contents;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == kMetadata)
      contents.metadata = parse_metadata(value, place);
    else
      entries.push_back(parse_entry(name, value, data.size(), place + ": tensor " + quote(name)));
  }
  check_tiling(entries, data.size(), place);
  for (auto& entry : entries) {
    entry.tensor.bytes = data.substr(entry.begin, entry.end - entry.begin);
    contents.tensors.emplace(std::move(entry.name), std::move(entry.tensor));
  }
  return contents;
}

std::string dump_safetensors(const SafeTensors& contents) {
  auto header = header_of(contents).dump();
  header.append((kAlignment - header.size() % kAlignment) % kAlignment, ' ');
  AUXBENCH_CHECK(header.size() <= kLongestSafetensorsHeader, "a header of at most 100 MB");
  std::string bytes;
  size_t total = kSafetensorsPrefixBytes + header.size();
  for (const auto& item : contents.tensors) total += item.second.bytes.size();
  bytes.reserve(total);
  for (size_t i = 0; i < kSafetensorsPrefixBytes; ++i)
    bytes.push_back(static_cast<char>((header.size() >> (8 * i)) & 0xFFU));
  bytes += header;
  for (const auto& item : contents.tensors) bytes += item.second.bytes;
  return bytes;
}

SafeTensors read_safetensors(const std::filesystem::path& path) {
  return parse_safetensors(read_file(path), path.string());
}

void write_safetensors(const std::filesystem::path& path, const SafeTensors& contents) {
  write_file_atomically(path, dump_safetensors(contents));
}

}  // namespace auxbench
