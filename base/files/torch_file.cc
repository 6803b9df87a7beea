#include "base/files/torch_file.h"

#include <zip.h>

#include <array>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/pickle.h"

namespace auxbench {
namespace {

constexpr size_t kLargestPickle = size_t{1} << 26;  // the program; tensors' bytes lie outside of it
constexpr size_t kMostCopies = 64;                  // of the whole file, in memory: tensors may share their storages
constexpr std::string_view kZipStart = "PK\x03\x04";
constexpr int64_t kLegacyProtocol = 1001;
// 0x1950a86a20f9469cfc6c, least significant byte first.
constexpr std::string_view kLegacyMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

struct StorageType {
  const char* name;
  const char* dtype;
};
constexpr std::array<StorageType, 10> kStorageTypes = {{{"torch.DoubleStorage", "F64"},
                                                        {"torch.FloatStorage", "F32"},
                                                        {"torch.HalfStorage", "F16"},
                                                        {"torch.BFloat16Storage", "BF16"},
                                                        {"torch.LongStorage", "I64"},
                                                        {"torch.IntStorage", "I32"},
                                                        {"torch.ShortStorage", "I16"},
                                                        {"torch.CharStorage", "I8"},
                                                        {"torch.ByteStorage", "U8"},
                                                        {"torch.BoolStorage", "BOOL"}}};

// ('storage', torch.FloatStorage, '0', 'cpu', 9408), and a view of another storage in old files.
struct Storage {
  std::string dtype, key;
  int64_t count = 0;
};

// A tensor before its bytes are known.
struct Tensor {
  Storage storage;
  int64_t offset = 0;
  std::vector<int64_t> shape, strides;
};

using Tensors = std::map<std::string, Tensor>;
using BytesOf = std::function<std::string_view(const Storage& storage)>;

class TensorReader {
 public:
  explicit TensorReader(const std::string& place) : place_(place) {}

  // The state dict behind the root of a checkpoint.
  [[nodiscard]] Tensors tensors_of(const PickleValue& root) const {
    const auto* items = items_of(root);
    if (items == nullptr) refuse_data(place_, "holds no dictionary of tensors");
    for (const char* key : {"state_dict", "model", "model_state_dict", "net"})
      if (const auto* value = value_of(*items, key))
        if (auto found = dict_of(*value); !found.empty()) return found;
    if (auto found = dict_of(root); !found.empty()) return found;
    refuse_data(
        place_,
        "holds no tensors, neither directly nor under \"state_dict\", \"model\", \"model_state_dict\", \"net\"");
  }

  // Of a persistent id. name: of the tensor, for messages.
  [[nodiscard]] Storage storage_of(const PickleValue& value, const std::string& name) const {
    const auto* persistent = value.as<PicklePersistent>();
    const auto* id = persistent == nullptr ? nullptr : persistent->id->as<PickleTuple>();
    if (id == nullptr || id->items.size() < 5) refuse(name);
    const auto* key = id->items[2]->as<std::string>();
    const auto* count = id->items[4]->as<int64_t>();
    if (key == nullptr || count == nullptr || *count < 0) refuse(name);
    if (id->items.size() > 5 && id->items[5]->as<std::monostate>() == nullptr)
      refuse_data(place_, name + ": a view of another storage, as PyTorch before 0.4 wrote it, is not read");
    const auto type = name_of(id->items[1]);
    for (const auto& known : kStorageTypes)
      if (type == known.name) return {.dtype = known.dtype, .key = *key, .count = *count};
    refuse_data(place_, name + ": a storage of type \"" + type + "\" is not read");
  }

 private:
  using Items = std::vector<std::pair<PickleRef, PickleRef>>;

  static const Items* items_of(const PickleValue& value) {
    if (const auto* dict = value.as<PickleDict>()) return &dict->items;
    const auto* call = value.as<PickleCall>();
    if (call == nullptr || name_of(call->callee) != "collections.OrderedDict") return nullptr;
    return &call->items.items;
  }
  static std::string name_of(PickleRef value) {
    const auto* name = value->as<PickleName>();
    return name == nullptr ? "" : name->text;
  }

  // The first one: were all of them looked into, a small file could keep us busy for hours.
  static PickleRef value_of(const Items& items, std::string_view key) {
    for (const auto& [name, value] : items)
      if (const auto* text = name->as<std::string>(); text != nullptr && *text == key) return value;
    return nullptr;
  }

  // Its tensors by name; entries of other kinds beside them are passed over.
  [[nodiscard]] Tensors dict_of(const PickleValue& value) const {
    Tensors found;
    const auto* items = items_of(value);
    if (items == nullptr) return found;
    for (const auto& [name, entry] : *items) {
      const auto* text = name->as<std::string>();
      const auto* call = entry->as<PickleCall>();
      if (text == nullptr || call == nullptr || items_of(*entry) != nullptr) continue;
      if (!is_tensor_name(*text)) refuse_data(place_, "a tensor's name is not UTF-8, or is \"__metadata__\"");
      if (!found.emplace(*text, tensor_of(*call, *text, 0)).second) refuse_data(place_, *text + " is given twice");
    }
    return found;
  }

  [[nodiscard]] Tensor tensor_of(const PickleCall& call, const std::string& name, int depth) const {
    const auto callee = name_of(call.callee);
    const auto* arguments = call.arguments->as<PickleTuple>();
    if (callee == "torch._utils._rebuild_parameter" && arguments != nullptr && !arguments->items.empty() && depth < 2)
      if (const auto* inner = arguments->items[0]->as<PickleCall>()) return tensor_of(*inner, name, depth + 1);
    if (callee != "torch._utils._rebuild_tensor_v2" && callee != "torch._utils._rebuild_tensor")
      refuse_data(place_, name + ": made by \"" + callee + "\", which no file of plain weights needs; it was not run");
    if (arguments == nullptr || arguments->items.size() < 4) refuse(name);
    Tensor tensor = {.storage = storage_of(*arguments->items[0], name)};
    const auto* offset = arguments->items[1]->as<int64_t>();
    if (offset == nullptr) refuse(name);
    tensor.offset = *offset;
    tensor.shape = numbers_of(*arguments->items[2], name);
    tensor.strides = numbers_of(*arguments->items[3], name);
    check(tensor, name);
    return tensor;
  }

  [[nodiscard]] std::vector<int64_t> numbers_of(const PickleValue& value, const std::string& name) const {
    const auto* tuple = value.as<PickleTuple>();
    if (tuple == nullptr) refuse(name);
    std::vector<int64_t> numbers;
    for (const auto* item : tuple->items) {
      const auto* number = item->as<int64_t>();
      if (number == nullptr || *number < 0) refuse(name);
      numbers.push_back(*number);
    }
    return numbers;
  }

  // Every element lies within the storage, and there are no more elements than memory could hold.
  void check(const Tensor& tensor, const std::string& name) const {
    if (tensor.strides.size() != tensor.shape.size() || tensor.offset < 0) refuse(name);
    constexpr int64_t kLimit = int64_t{1} << 48;
    int64_t last = tensor.offset, elements = 1;
    for (size_t axis = 0; axis < tensor.shape.size(); ++axis) {
      const auto extent = tensor.shape[axis], stride = tensor.strides[axis];
      if (extent > kLimit || stride > kLimit) refuse(name);
      if (extent == 0) return;
      if (stride != 0 && extent - 1 > (kLimit - last) / stride) refuse(name);
      last += (extent - 1) * stride;
      // A stride of 0 repeats an element: no more than a storage as large would hold.
      if (elements > kLimit / extent) refuse(name);
      elements *= extent;
    }
    if (last >= tensor.storage.count) refuse_data(place_, name + ": reaches beyond its storage");
    if (elements > tensor.storage.count) refuse_data(place_, name + ": has more elements than its storage");
  }

  [[noreturn]] void refuse(const std::string& name) const {
    refuse_data(place_, name + ": not a tensor as torch.save writes it");
  }

  const std::string& place_;
};

// Row-major bytes of a tensor.
std::string contiguous_bytes(const Tensor& tensor, std::string_view storage, size_t element) {
  size_t elements = 1;
  for (const auto extent : tensor.shape) elements *= static_cast<size_t>(extent);
  std::string bytes(elements * element, '\0');
  std::vector<int64_t> index(tensor.shape.size(), 0);
  int64_t from = tensor.offset;
  for (size_t i = 0; i < elements; ++i) {
    std::memcpy(bytes.data() + i * element, storage.data() + static_cast<size_t>(from) * element, element);
    for (size_t axis = tensor.shape.size(); axis > 0; --axis) {
      const size_t a = axis - 1;
      from += tensor.strides[a];
      if (++index[a] < tensor.shape[a]) break;
      from -= tensor.strides[a] * tensor.shape[a];
      index[a] = 0;
    }
  }
  return bytes;
}

// file_size: in bytes; a file whose tensors take kMostCopies times as much is refused before they do.
SafeTensors collect(const Tensors& tensors, const BytesOf& bytes_of, size_t file_size, const std::string& place) {
  SafeTensors contents;
  size_t left = kMostCopies * file_size;
  for (const auto& [name, tensor] : tensors) {
    const auto element = static_cast<size_t>(safetensors_element_size(tensor.storage.dtype));
    const auto storage = bytes_of(tensor.storage);
    if (storage.size() / element < static_cast<size_t>(tensor.storage.count))
      refuse_data(place, name + ": truncated: its storage has " + std::to_string(storage.size()) + " bytes, not " +
                             std::to_string(tensor.storage.count) + " elements");
    auto bytes = contiguous_bytes(tensor, storage, element);
    if (bytes.size() > left) refuse_data(place, name + ": too many tensors share one storage");
    left -= bytes.size();
    contents.tensors[name] = {.dtype = tensor.storage.dtype, .shape = tensor.shape, .bytes = std::move(bytes)};
  }
  return contents;
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
    for (zip_int64_t i = 0; i < zip_get_num_entries(archive_.get(), 0); ++i) {
      const char* name = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(i), 0);
      const std::string text = name == nullptr ? "" : name;
      if (text.ends_with("/data.pkl")) folder_ = text.substr(0, text.size() - std::strlen("data.pkl"));
    }
    if (folder_.empty())
      refuse_data(place, "a zip file without data.pkl: not one of torch.save (TorchScript is not read)");
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
  const auto bytes_of = [&](const Storage& storage) -> std::string_view {
    auto found = storages.find(storage.key);
    if (found == storages.end()) {
      auto read = archive.read("data/" + storage.key, bytes.size());
      if (!read) refuse_data(place, "data/" + storage.key + " is missing");
      found = storages.emplace(storage.key, std::move(*read)).first;
    }
    return found->second;
  };
  return collect(TensorReader(place).tensors_of(*pickle.root), bytes_of, bytes.size(), place);
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
  const TensorReader reader(place);
  const auto tensors = reader.tensors_of(*object.root);
  // The elements' size of every storage, those of an optimiser too: without it what comes later could not be found.
  std::map<std::string, size_t> element_of;
  for (const auto& value : object.values)
    if (value.as<PicklePersistent>() != nullptr) {
      const auto storage = reader.storage_of(value, "a storage");
      element_of[storage.key] = static_cast<size_t>(safetensors_element_size(storage.dtype));
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
  const auto bytes_of = [&](const Storage& storage) -> std::string_view {
    const auto found = storages.find(storage.key);
    if (found == storages.end()) refuse_data(place, "storage " + storage.key + " is missing");
    return found->second;
  };
  return collect(tensors, bytes_of, bytes.size(), place);
}

}  // namespace

SafeTensors parse_torch_file(std::string_view bytes, const std::string& place) {
  if (bytes.starts_with(kZipStart)) return parse_zip(bytes, place);
  if (bytes.starts_with('\x80')) return parse_legacy(bytes, place);
  refuse_data(place, "not a file of torch.save");
}

SafeTensors read_torch_file(const std::filesystem::path& path) {
  return parse_torch_file(read_file(path), path.string());
}

SafeTensors parse_weights(std::string_view bytes, const std::string& place) {
  // A safetensors file begins with the length of its header, below 2^32: its fifth byte is 0. A pickle's is not.
  const bool torch = bytes.starts_with(kZipStart) || (bytes.size() > 4 && bytes[0] == '\x80' && bytes[4] != '\0');
  return torch ? parse_torch_file(bytes, place) : parse_safetensors(bytes, place);
}

SafeTensors read_weights(const std::filesystem::path& path) { return parse_weights(read_file(path), path.string()); }

}  // namespace auxbench
