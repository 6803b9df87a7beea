// The tensors that a pickle of torch.save describes: names, types, shapes and which bytes of which storage. torch_file.h
// says what is known and what is refused; the containers around the pickle are torch_file.cc's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/files/pickle.h"

namespace auxbench {

// ('storage', torch.FloatStorage, '0', 'cpu', 9408): its elements are of 4 bytes. Those of an UntypedStorage are bytes.
struct TorchStorage {
  std::string key;
  std::string dtype;        // as in safetensors; empty: untyped
  size_t element_size = 1;  // bytes
  int64_t count = 0;        // elements
};

// A tensor before its bytes are known. Every element lies within the storage, and there are no more than it holds.
struct TorchTensor {
  TorchStorage storage;
  std::string dtype;        // as in safetensors
  size_t element_size = 1;  // bytes
  int64_t offset = 0;       // elements, as the strides
  std::vector<int64_t> shape, strides;
};

using TorchTensors = std::map<std::string, TorchTensor>;

// The state dict behind the root of a checkpoint. Throws UserError(data_missing) "PLACE: WHAT".
TorchTensors torch_tensors(const PickleValue& root, const std::string& place);

// Of a persistent id. name: of the tensor, for messages.
TorchStorage torch_storage(const PickleValue& value, const std::string& name, const std::string& place);

// Row-major bytes of a tensor. storage: all bytes of its storage.
std::string contiguous_bytes(const TorchTensor& tensor, std::string_view storage);

}  // namespace auxbench
