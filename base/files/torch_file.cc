#include "base/files/torch_file.h"

#include <zip.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/file_kind.h"
#include "base/files/pickle.h"
#include "base/files/torch_tensors.h"

namespace auxbench {
namespace {

constexpr size_t kLargestPickle = size_t{1} << 26;  // the program; tensors' bytes lie outside of it
constexpr size_t kMostCopies = 64;                  // of the whole file, in memory: tensors may share their storages
constexpr std::string_view kZipStart = "PK\x03\x04";
constexpr int64_t kLegacyProtocol = 1001;
// 0x1950a86a20f9469cfc6c, least significant byte first.
constexpr std::string_view kLegacyMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

// Of protocol 2 and later, which torch.save writes.
bool starts_as_pickle(std::string_view bytes) {
  return bytes.size() > 1 && bytes[0] == '\x80' && bytes[1] >= '\x02' && bytes[1] <= '\x05';
}

using BytesOf = std::function<std::string_view(const TorchStorage& storage)>;

// file_size: in bytes; a file whose tensors take kMostCopies times as much is refused before they do.
SafeTensors collect(const TorchTensors& tensors, const BytesOf& bytes_of, size_t file_size, const std::string& place) {
  SafeTensors contents;
  size_t left = kMostCopies * file_size;
  for (const auto& [name, tensor] : tensors) {
    const auto storage = bytes_of(tensor.storage);
    if (storage.size() / tensor.storage.element_size < static_cast<size_t>(tensor.storage.count))
      refuse_data(place, name + ": truncated: its storage has " + std::to_string(storage.size()) + " bytes, not " +
                             std::to_string(tensor.storage.count) + " elements");
    auto bytes = contiguous_bytes(tensor, storage);
    if (bytes.size() > left) refuse_data(place, name + ": too many tensors share one storage");
    left -= bytes.size();
    contents.tensors[name] = {.dtype = tensor.dtype, .shape = tensor.shape, .bytes = std::move(bytes)};
  }
  return contents;
}

// What a zip file is that torch.save did not write, by the names in it.
std::string foreign_zip(const std::vector<std::string>& names) {
  const auto ends = [&](std::initializer_list<std::string_view> endings) {
    return std::find_if(names.begin(), names.end(), [&](const std::string& name) {
      return std::any_of(endings.begin(), endings.end(), [&](auto ending) { return name.ends_with(ending); });
    });
  };
  if (ends({".npy"}) != names.end())
    return "NumPy's .npz, which is not read: write it with safetensors.numpy.save_file";
  if (ends({"archive_format"}) != names.end())
    return "a program of torch.export, which is not read: save the module's state_dict() instead";
  if (ends({".weights.h5"}) != names.end()) return "a Keras file, which is not read: export the weights as safetensors";
  if (const auto inner = ends({".pth", ".pt", ".bin", ".ckpt", ".safetensors", ".tar"}); inner != names.end())
    return "a zip file with " + *inner + " in it: unpack it first";
  return "a zip file without data.pkl: not one of torch.save";
}

// The zip format: NAME/data.pkl, NAME/data/KEY, NAME/byteorder.
class Archive {
 public:
  Archive(std::string_view bytes, const std::string& place) : place_(place), size_(bytes.size()) {
    zip_error_t error;
    zip_error_init(&error);
    auto* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
    if (source != nullptr) archive_.reset(zip_open_from_source(source, ZIP_RDONLY, &error));
    const std::string complaint = archive_ ? "" : zip_error_strerror(&error);
    zip_error_fini(&error);
    if (!archive_) {
      if (source != nullptr) zip_source_free(source);
      refuse_data(place, "broken zip file: " + complaint);
    }
    std::vector<std::string> names;
    for (zip_int64_t i = 0; i < zip_get_num_entries(archive_.get(), 0); ++i) {
      const char* name = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(i), 0);
      names.emplace_back(name == nullptr ? "" : name);
      const auto& text = names.back();
      if (text.ends_with("/data.pkl")) folder_ = text.substr(0, text.size() - std::strlen("data.pkl"));
      if (text.ends_with("/constants.pkl"))
        refuse_data(place, "a program of TorchScript, which is not read: save the module's state_dict() instead");
    }
    if (folder_.empty()) refuse_data(place, foreign_zip(names));
  }

  // What a file of this name holds, at most `limit` bytes; nothing when there is no such file.
  std::optional<std::string> read(const std::string& name, size_t limit) {
    zip_stat_t facts;
    const auto path = folder_ + name;
    if (zip_stat(archive_.get(), path.c_str(), 0, &facts) != 0) return std::nullopt;
    // torch.save does not compress; what would unpack to more than the file itself is no file of weights.
    if (facts.size > limit || facts.size > size_ || facts.size > kMostCopies * size_ - read_)
      refuse_data(place_, path + ": claims " + std::to_string(facts.size) + " bytes");
    read_ += facts.size;
    const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(zip_fopen(archive_.get(), path.c_str(), 0),
                                                                 zip_fclose);
    std::string bytes(facts.size, '\0');
    if (!file || zip_fread(file.get(), bytes.data(), bytes.size()) != static_cast<zip_int64_t>(bytes.size()))
      refuse_data(place_, path + ": broken or encrypted");
    return bytes;
  }

 private:
  const std::string& place_;
  size_t size_, read_ = 0;  // bytes; what was read may overlap in the file
  std::unique_ptr<zip_t, void (*)(zip_t*)> archive_{nullptr, zip_discard};
  std::string folder_;
};

SafeTensors parse_zip(std::string_view bytes, const std::string& place) {
  Archive archive(bytes, place);
  if (const auto order = archive.read("byteorder", 16); order && *order != "little")
    refuse_data(place, "written by a big-endian machine");
  const auto program = archive.read("data.pkl", kLargestPickle);
  const auto pickle = read_pickle(program.value_or(""), place);
  std::map<std::string, std::string> storages;
  const auto bytes_of = [&](const TorchStorage& storage) -> std::string_view {
    auto found = storages.find(storage.key);
    if (found == storages.end()) {
      auto read = archive.read("data/" + storage.key, bytes.size());
      if (!read) refuse_data(place, "data/" + storage.key + " is missing");
      found = storages.emplace(storage.key, std::move(*read)).first;
    }
    return found->second;
  };
  return collect(torch_tensors(*pickle.root, place), bytes_of, bytes.size(), place);
}

// The format before: pickles of magic number, protocol, machine, object and storage keys, one after the other; then for
// each key a count of 8 bytes and the elements.
SafeTensors parse_legacy(std::string_view bytes, const std::string& place) {
  size_t at = 0;
  const auto next = [&] {
    auto pickle = read_pickle(bytes.substr(at, kLargestPickle), place);
    at += pickle.bytes;
    return pickle;
  };
  const auto magic = next();
  const auto* text = magic.root->as<std::string>();
  if (text == nullptr || *text != kLegacyMagic) refuse_data(place, "a pickle, but not one of torch.save");
  const auto protocol = next();
  if (const auto* number = protocol.root->as<int64_t>(); number == nullptr || *number != kLegacyProtocol)
    refuse_data(place, "a format of torch.save that is not read");
  next();  // the machine that wrote it
  const auto object = next();
  const auto tensors = torch_tensors(*object.root, place);
  // The elements' size of every storage, those of an optimiser too: without it what comes later could not be found.
  std::map<std::string, size_t> element_of;
  for (const auto& value : object.values)
    if (value.as<PicklePersistent>() != nullptr) {
      const auto storage = torch_storage(value, "a storage", place);
      element_of[storage.key] = storage.element_size;
    }
  const auto keys = next();
  const auto* list = keys.root->as<PickleList>();
  if (list == nullptr) refuse_data(place, "no list of storages");
  std::map<std::string, std::string_view> storages;
  for (const auto* item : list->items) {
    const auto* key = item->as<std::string>();
    if (key == nullptr || !element_of.contains(*key)) refuse_data(place, "lists a storage that nothing uses");
    uint64_t count = 0;
    if (bytes.size() - at < sizeof count) refuse_data(place, "truncated");
    std::memcpy(&count, bytes.data() + at, sizeof count);
    at += sizeof count;
    const auto element = element_of.at(*key);
    if (count > (bytes.size() - at) / element) refuse_data(place, "truncated");
    storages[*key] = bytes.substr(at, count * element);
    at += count * element;
  }
  const auto bytes_of = [&](const TorchStorage& storage) -> std::string_view {
    const auto found = storages.find(storage.key);
    if (found == storages.end()) refuse_data(place, "storage " + storage.key + " is missing");
    return found->second;
  };
  return collect(tensors, bytes_of, bytes.size(), place);
}

}  // namespace

SafeTensors parse_torch_file(std::string_view bytes, const std::string& place) {
  if (bytes.starts_with(kZipStart)) return parse_zip(bytes, place);
  if (starts_as_pickle(bytes)) return parse_legacy(bytes, place);
  const auto other =
      starts_as_safetensors(bytes) ? "safetensors, where a file of torch.save is wanted" : foreign_format(bytes);
  refuse_data(place, other.empty() ? "not a file of torch.save" : other);
}

SafeTensors read_torch_file(const std::filesystem::path& path) {
  return parse_torch_file(read_file(path), path.string());
}

SafeTensors parse_weights(std::string_view bytes, const std::string& place) {
  const bool torch = bytes.starts_with(kZipStart) || (starts_as_pickle(bytes) && !starts_as_safetensors(bytes));
  return torch ? parse_torch_file(bytes, place) : parse_safetensors(bytes, place);
}

SafeTensors read_weights(const std::filesystem::path& path) { return parse_weights(read_file(path), path.string()); }

}  // namespace auxbench
