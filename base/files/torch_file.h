// Weights from a file of torch.save (.pth, .pt): the zip format of PyTorch 1.6 and later, and the one before it.
//
// Nothing in the file is executed (pickle.h). Known are dictionaries, ordered or not, of tensors and parameters, also
// one level down under "state_dict", "model", "model_state_dict" or "net", beside anything else (epoch, optimiser ...),
// which is passed over; and the names that PyTorch itself writes for tensors and storages: _rebuild_tensor, its _v2 and
// _v3 (uint16 to uint64, float8), parameters with or without state, tensors with attributes (_rebuild_from_type_v2 of
// Tensor, Parameter and Buffer; the attributes are passed over). A checkpoint that needs any other name for its weights
// (a subclass, a quantized, sparse or nested tensor) is refused with that name. Refused with what they are: TorchScript,
// torch.export, a whole module in place of its state dict, conjugate and negated views, torch.save's tar format of
// before PyTorch 0.1.10, and what is no file of torch.save at all (file_kind.h).
// Tensors come out contiguous whatever their strides, with torch's names unchanged. Types that safetensors has not
// (complex128, quantized ones) are refused by name, and so is a name that safetensors could not hold. Tensors that share
// a storage take memory each: more than 64 times the file's size is refused. Throws UserError(data_missing)
// "FILE: WHAT".
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/files/safetensors.h"

namespace auxbench {

SafeTensors read_torch_file(const std::filesystem::path& path);
SafeTensors parse_torch_file(std::string_view bytes, const std::string& place);

// By what the file's first bytes say, not by its ending: torch's two formats, or safetensors.
SafeTensors read_weights(const std::filesystem::path& path);
SafeTensors parse_weights(std::string_view bytes, const std::string& place);

}  // namespace auxbench
