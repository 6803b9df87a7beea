#include "models/weights.h"

#include <array>
#include <cstring>

#include "base/check.h"
#include "base/error.h"
#include "base/torch_prelude.h"

namespace auxbench {
namespace {

struct TypeName {
  const char* name;
  at::ScalarType type;
};

constexpr std::array<TypeName, 10> kTypes = {{{"F64", at::kDouble},
                                              {"F32", at::kFloat},
                                              {"F16", at::kHalf},
                                              {"BF16", at::kBFloat16},
                                              {"I64", at::kLong},
                                              {"I32", at::kInt},
                                              {"I16", at::kShort},
                                              {"I8", at::kChar},
                                              {"U8", at::kByte},
                                              {"BOOL", at::kBool}}};

std::string shape_text(at::IntArrayRef shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ",") + std::to_string(shape[i]);
  return text + "]";
}

}  // namespace

SafeTensor to_safetensor(const at::Tensor& tensor) {
  const auto flat = tensor.detach().to(at::kCPU).contiguous();
  SafeTensor result;
  for (const auto& entry : kTypes)
    if (entry.type == flat.scalar_type()) result.dtype = entry.name;
  AUXBENCH_CHECK(!result.dtype.empty(), "a tensor type that safetensors knows");
  result.shape = flat.sizes().vec();
  result.bytes.assign(static_cast<const char*>(flat.const_data_ptr()), flat.nbytes());
  return result;
}

at::Tensor from_safetensor(const SafeTensor& tensor, const std::string& place) {
  for (const auto& entry : kTypes) {
    if (tensor.dtype != entry.name) continue;
    auto result = at::empty(tensor.shape, entry.type);
    AUXBENCH_CHECK(result.nbytes() == tensor.bytes.size(), "as many bytes as the shape says");
    if (!tensor.bytes.empty()) std::memcpy(result.mutable_data_ptr(), tensor.bytes.data(), tensor.bytes.size());
    return result;
  }
  refuse_data(place, "tensor type " + tensor.dtype + " is not supported");
}

NamedTensors named_tensors(const torch::nn::Module& module, const std::string& prefix) {
  NamedTensors tensors;
  for (const auto& item : module.named_parameters()) tensors[prefix + item.key()] = item.value();
  for (const auto& item : module.named_buffers()) tensors[prefix + item.key()] = item.value();
  return tensors;
}

void move_module(torch::nn::Module& module, c10::Device device, c10::ScalarType type) {
  for (const auto& [name, tensor] : named_tensors(module))
    tensor.set_data(tensor.is_floating_point() ? tensor.data().to(device, type) : tensor.data().to(device));
}

void store_tensors(const NamedTensors& tensors, SafeTensors& contents) {
  for (const auto& [name, tensor] : tensors) contents.tensors[name] = to_safetensor(tensor);
}

void load_tensors(const SafeTensors& contents, const std::string& prefix, const NamedTensors& targets,
                  const std::string& place) {
  for (const auto& [name, stored] : contents.tensors)
    if (name.starts_with(prefix) && !targets.contains(name))
      refuse_data(place, name + ": the network has no such tensor");
  const at::NoGradGuard no_gradient;
  for (const auto& [name, target] : targets) {
    const auto found = contents.tensors.find(name);
    if (found == contents.tensors.end()) refuse_data(place, name + ": missing");
    if (found->second.shape != target.sizes().vec())
      refuse_data(place,
                  name + ": expected " + shape_text(target.sizes()) + ", found " + shape_text(found->second.shape));
    const auto source = from_safetensor(found->second, place + ": " + name);
    if (source.is_floating_point() != target.is_floating_point())
      refuse_data(place, name + ": expected " + toString(target.scalar_type()) + ", found " + found->second.dtype);
    target.copy_(source);
  }
}

}  // namespace auxbench
