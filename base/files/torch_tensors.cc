#include "base/files/torch_tensors.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "base/files/safetensors.h"

namespace auxbench {
namespace {

struct TypeName {
  std::string_view torch, dtype;
};
constexpr std::array<TypeName, 11> kStorageTypes = {{{"torch.DoubleStorage", "F64"},
                                                     {"torch.FloatStorage", "F32"},
                                                     {"torch.HalfStorage", "F16"},
                                                     {"torch.BFloat16Storage", "BF16"},
                                                     {"torch.ComplexFloatStorage", "C64"},
                                                     {"torch.LongStorage", "I64"},
                                                     {"torch.IntStorage", "I32"},
                                                     {"torch.ShortStorage", "I16"},
                                                     {"torch.CharStorage", "I8"},
                                                     {"torch.ByteStorage", "U8"},
                                                     {"torch.BoolStorage", "BOOL"}}};
// Of tensors over untyped storages, which say their type themselves.
constexpr std::array<TypeName, 19> kTensorTypes = {{{"torch.float64", "F64"},
                                                    {"torch.float32", "F32"},
                                                    {"torch.float16", "F16"},
                                                    {"torch.bfloat16", "BF16"},
                                                    {"torch.float8_e4m3fn", "F8_E4M3"},
                                                    {"torch.float8_e5m2", "F8_E5M2"},
                                                    {"torch.float8_e8m0fnu", "F8_E8M0"},
                                                    {"torch.float8_e4m3fnuz", "F8_E4M3FNUZ"},
                                                    {"torch.float8_e5m2fnuz", "F8_E5M2FNUZ"},
                                                    {"torch.complex64", "C64"},
                                                    {"torch.int64", "I64"},
                                                    {"torch.int32", "I32"},
                                                    {"torch.int16", "I16"},
                                                    {"torch.int8", "I8"},
                                                    {"torch.uint64", "U64"},
                                                    {"torch.uint32", "U32"},
                                                    {"torch.uint16", "U16"},
                                                    {"torch.uint8", "U8"},
                                                    {"torch.bool", "BOOL"}}};

template <size_t N>
std::string dtype_of(const std::array<TypeName, N>& types, const std::string& name) {
  const auto* known = std::find_if(types.begin(), types.end(), [&](const auto& type) { return type.torch == name; });
  return known == types.end() ? std::string() : std::string(known->dtype);
}

size_t element_size_of(const std::string& dtype) { return static_cast<size_t>(safetensors_element_size(dtype)); }

using Items = std::vector<std::pair<PickleRef, PickleRef>>;

std::string name_of(PickleRef value) {
  const auto* name = value->as<PickleName>();
  return name == nullptr ? "" : name->text;
}

const Items* items_of(const PickleValue& value) {
  if (const auto* dict = value.as<PickleDict>()) return &dict->items;
  const auto* call = value.as<PickleCall>();
  if (call == nullptr || name_of(call->callee) != "collections.OrderedDict") return nullptr;
  return &call->items.items;
}

// The first one: were all of them looked into, a small file could keep us busy for hours.
PickleRef value_of(const Items& items, std::string_view key) {
  for (const auto& [name, value] : items)
    if (const auto* text = name->as<std::string>(); text != nullptr && *text == key) return value;
  return nullptr;
}

// The class of an object that stands where a dictionary should; empty where it is none.
std::string class_of(const PickleValue& value) {
  const auto* call = value.as<PickleCall>();
  if (call == nullptr) return {};
  auto callee = name_of(call->callee);
  const auto* arguments = call->arguments->as<PickleTuple>();
  // Protocols 0 and 1 make objects by a function that is told the class.
  if (callee == "copyreg._reconstructor" || callee == "copy_reg._reconstructor")
    return arguments == nullptr || arguments->items.empty() ? callee : name_of(arguments->items[0]);
  return callee;
}

// Of tensors with attributes, which torch pickles as if their class were a subclass.
bool is_plain_tensor_class(const std::string& name) {
  constexpr std::array kKnown = {"torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter",
                                 "torch.nn.parameter.Buffer"};
  return std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end();
}

class TensorReader {
 public:
  explicit TensorReader(const std::string& place) : place_(place) {}

  [[nodiscard]] TorchTensors tensors_of(const PickleValue& root) const {
    const auto* items = items_of(root);
    if (items == nullptr) {
      const auto found = class_of(root);
      refuse_data(place_, found.empty() ? "holds no dictionary of tensors"
                                        : "holds an object of class " + found +
                                              ", not a dictionary of tensors: save the module's state_dict() instead");
    }
    for (const char* key : {"state_dict", "model", "model_state_dict", "net"})
      if (const auto* value = value_of(*items, key))
        if (auto found = dict_of(*value); !found.empty()) return found;
    if (auto found = dict_of(root); !found.empty()) return found;
    refuse_data(
        place_,
        "holds no tensors, neither directly nor under \"state_dict\", \"model\", \"model_state_dict\", \"net\"");
  }

  [[nodiscard]] TorchStorage storage_of(const PickleValue& value, const std::string& name) const {
    const auto* persistent = value.as<PicklePersistent>();
    const auto* id = persistent == nullptr ? nullptr : persistent->id->as<PickleTuple>();
    if (id == nullptr || id->items.size() < 5) refuse(name);
    const auto* key = id->items[2]->as<std::string>();
    const auto* count = id->items[4]->as<int64_t>();
    if (key == nullptr || count == nullptr || *count < 0) refuse(name);
    if (id->items.size() > 5 && id->items[5]->as<std::monostate>() == nullptr)
      refuse_data(place_, name + ": a view of another storage, as PyTorch before 0.4 wrote it, is not read");
    const auto type = name_of(id->items[1]);
    if (type == "torch.storage.UntypedStorage" || type == "torch.UntypedStorage") return {.key = *key, .count = *count};
    const auto dtype = dtype_of(kStorageTypes, type);
    if (dtype.empty()) refuse_data(place_, name + ": a storage of type \"" + type + "\" is not read");
    return {.key = *key, .dtype = dtype, .element_size = element_size_of(dtype), .count = *count};
  }

 private:
  // Its tensors by name; entries of other kinds beside them are passed over.
  [[nodiscard]] TorchTensors dict_of(const PickleValue& value) const {
    TorchTensors found;
    const auto* items = items_of(value);
    if (items == nullptr) return found;
    for (const auto& [name, entry] : *items) {
      const auto* text = name->as<std::string>();
      const auto* call = entry->as<PickleCall>();
      if (text == nullptr || call == nullptr || items_of(*entry) != nullptr) continue;
      if (!is_tensor_name(*text)) refuse_data(place_, "a tensor's name is not UTF-8, or is \"__metadata__\"");
      if (!found.emplace(*text, made_by(name_of(call->callee), *call->arguments, *text, 0)).second)
        refuse_data(place_, *text + " is given twice");
    }
    return found;
  }

  // depth: how many calls stand around this one.
  [[nodiscard]] TorchTensor made_by(const std::string& callee, const PickleValue& given, const std::string& name,
                                    int depth) const {
    const auto* arguments = given.as<PickleTuple>();
    if (arguments == nullptr) refuse(name);
    const auto& items = arguments->items;
    const auto is = [&](const char* function) { return callee == function; };
    if ((is("torch._utils._rebuild_parameter") || is("torch._utils._rebuild_parameter_with_state")) && !items.empty() &&
        depth < 3)
      if (const auto* inner = items[0]->as<PickleCall>())
        return made_by(name_of(inner->callee), *inner->arguments, name, depth + 1);
    // (function, class, arguments, attributes)
    if ((is("torch._tensor._rebuild_from_type_v2") || is("torch._tensor._rebuild_from_type")) && items.size() > 2 &&
        depth < 3) {
      if (const auto type = name_of(items[1]); !is_plain_tensor_class(type))
        refuse_data(place_, name + ": a tensor of class \"" + type + "\" is not read");
      return made_by(name_of(items[0]), *items[2], name, depth + 1);
    }
    const bool typed = is("torch._utils._rebuild_tensor_v2") || is("torch._utils._rebuild_tensor");
    if (!typed && !is("torch._utils._rebuild_tensor_v3"))
      refuse_data(place_, name + ": made by \"" + callee + "\", which no file of plain weights needs; it was not run");
    return plain_tensor(items, typed, name);
  }

  // (storage, offset, size, strides, requires_grad, hooks, then for untyped storages the dtype, then metadata)
  [[nodiscard]] TorchTensor plain_tensor(const std::vector<PickleRef>& items, bool typed,
                                         const std::string& name) const {
    const size_t type_at = 6, metadata_at = typed ? 6 : 7;
    if (items.size() < (typed ? 4 : type_at + 1)) refuse(name);
    TorchTensor tensor = {.storage = storage_of(*items[0], name)};
    tensor.dtype = typed ? tensor.storage.dtype : dtype_of(kTensorTypes, name_of(items[type_at]));
    if (tensor.dtype.empty())
      refuse_data(place_,
                  name + ": a tensor of type \"" + (typed ? "untyped" : name_of(items[type_at])) + "\" is not read");
    tensor.element_size = element_size_of(tensor.dtype);
    if (items.size() > metadata_at)
      if (const auto* metadata = items_of(*items[metadata_at]); metadata != nullptr && !metadata->empty())
        refuse_data(place_,
                    name + ": a conjugate or negated view is not read: save it after resolve_conj().resolve_neg()");
    const auto* offset = items[1]->as<int64_t>();
    if (offset == nullptr) refuse(name);
    tensor.offset = *offset;
    tensor.shape = numbers_of(*items[2], name);
    tensor.strides = numbers_of(*items[3], name);
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
  void check(const TorchTensor& tensor, const std::string& name) const {
    if (tensor.strides.size() != tensor.shape.size() || tensor.offset < 0) refuse(name);
    constexpr int64_t kLimit = int64_t{1} << 48;
    const auto& storage = tensor.storage;
    if (storage.count > kLimit || tensor.offset > kLimit) refuse(name);
    const auto there =
        storage.count * static_cast<int64_t>(storage.element_size) / static_cast<int64_t>(tensor.element_size);
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
    if (last >= there) refuse_data(place_, name + ": reaches beyond its storage");
    if (elements > there) refuse_data(place_, name + ": has more elements than its storage");
  }

  [[noreturn]] void refuse(const std::string& name) const {
    refuse_data(place_, name + ": not a tensor as torch.save writes it");
  }

  const std::string& place_;
};

// Whether row-major order is the order in the storage.
bool lies_contiguous(const TorchTensor& tensor) {
  int64_t stride = 1;
  for (size_t axis = tensor.shape.size(); axis > 0; --axis) {
    const auto extent = tensor.shape[axis - 1];
    if (extent != 1 && tensor.strides[axis - 1] != stride) return false;
    stride *= extent;
  }
  return true;
}

}  // namespace

TorchTensors torch_tensors(const PickleValue& root, const std::string& place) {
  return TensorReader(place).tensors_of(root);
}

TorchStorage torch_storage(const PickleValue& value, const std::string& name, const std::string& place) {
  return TensorReader(place).storage_of(value, name);
}

std::string contiguous_bytes(const TorchTensor& tensor, std::string_view storage) {
  const auto element = tensor.element_size;
  size_t elements = 1;
  for (const auto extent : tensor.shape) elements *= static_cast<size_t>(extent);
  if (elements == 0) return {};
  const auto begin = static_cast<size_t>(tensor.offset) * element;
  if (lies_contiguous(tensor)) return std::string(storage.substr(begin, elements * element));
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

}  // namespace auxbench
