#include "models/weights.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "base/error.h"
#include "base/torch_prelude.h"
#include "models/plain_names.h"

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

bool is_floating(const std::string& dtype) { return dtype.starts_with("F") || dtype.starts_with("BF"); }

constexpr std::string_view kCounter = ".num_batches_tracked";

int64_t numel_of(const SafeTensor& tensor) {
  int64_t count = 1;
  for (const auto extent : tensor.shape) count *= extent;
  return count;
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
  refuse_data(place, "numbers of type " + tensor.dtype + " are listed, not computed with");
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

std::vector<std::string> weight_differences(const SafeTensors& contents, const std::string& prefix,
                                            const NamedTensors& targets) {
  std::vector<std::string> differences;
  for (const auto& [name, stored] : contents.tensors)
    if (name.starts_with(prefix) && !targets.contains(name))
      differences.push_back(name + ": the network has no such tensor");
  for (const auto& [name, target] : targets) {
    const auto found = contents.tensors.find(name);
    if (found == contents.tensors.end()) {
      differences.push_back(name + ": missing");
      continue;
    }
    const auto& stored = found->second;
    if (stored.shape != target.sizes().vec())
      differences.push_back(name + ": expected " + shape_text(target.sizes()) + ", found " + shape_text(stored.shape));
    else if (is_floating(stored.dtype) != target.is_floating_point())
      differences.push_back(name + ": expected " + toString(target.scalar_type()) + ", found " + stored.dtype);
  }
  return differences;
}

void load_tensors(const SafeTensors& contents, const std::string& prefix, const NamedTensors& targets,
                  const std::string& place) {
  constexpr size_t kShown = 8;
  if (const auto differences = weight_differences(contents, prefix, targets); !differences.empty()) {
    std::string text = differences.front();
    for (size_t i = 1; i < std::min(differences.size(), kShown); ++i) text += "; " + differences[i];
    if (differences.size() > kShown) text += "; and " + std::to_string(differences.size() - kShown) + " more";
    refuse_data(place, text);
  }
  const at::NoGradGuard no_gradient;
  for (const auto& [name, target] : targets)
    target.copy_(from_safetensor(contents.tensors.at(name), place + ": " + name));
}

void drop_counters_of_frozen_norms(SafeTensors& contents, const NamedTensors& targets) {
  std::erase_if(contents.tensors, [&](const auto& item) {
    if (!item.first.ends_with(kCounter) || targets.contains(item.first)) return false;
    return targets.contains(item.first.substr(0, item.first.size() - kCounter.size()) + ".running_var");
  });
}

void import_tensors(SafeTensors contents, const NamedTensors& targets, const std::string& place) {
  std::set<std::string> wanted;
  for (const auto& [name, target] : targets) wanted.insert(name);
  contents = plain_names(std::move(contents), wanted, place);
  drop_counters_of_frozen_norms(contents, targets);
  for (const auto& [name, target] : targets) {
    if (!name.ends_with(kCounter)) continue;
    const auto found = contents.tensors.find(name);
    const bool given = found != contents.tensors.end() && numel_of(found->second) == 1;
    contents.tensors[name] =
        to_safetensor(given ? from_safetensor(found->second, place + ": " + name).reshape({}).to(at::kLong) : target);
  }
  load_tensors(contents, "", targets, place);
}

}  // namespace auxbench
