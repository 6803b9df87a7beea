// Weights in and out: a module's parameters and buffers as named tensors of a safetensors file.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <map>
#include <string>
#include <vector>

#include "base/files/safetensors.h"

namespace torch::nn {
class Module;
}

namespace auxbench {

using NamedTensors = std::map<std::string, at::Tensor>;

SafeTensor to_safetensor(const at::Tensor& tensor);
at::Tensor from_safetensor(const SafeTensor& tensor, const std::string& place);  // on the CPU, owns its memory

// Parameters and buffers by name, each name after `prefix`. The tensors are the module's own, not copies.
NamedTensors named_tensors(const torch::nn::Module& module, const std::string& prefix = "");

// Moves the module; parameters and buffers of floating type also become `type` (counters stay whole numbers).
void move_module(torch::nn::Module& module, c10::Device device, c10::ScalarType type);

void store_tensors(const NamedTensors& tensors, SafeTensors& contents);

// What keeps `contents` from being `targets`, a line a tensor: "layer1.0.conv1.weight: expected [64,64,3,3], found
// [64,3,3,3]", "fc.bias: missing", "stranger: the network has no such tensor" (where its name starts with `prefix`).
std::vector<std::string> weight_differences(const SafeTensors& contents, const std::string& prefix,
                                            const NamedTensors& targets);

// Copies into `targets` the tensor of the same name, when there are no differences; types are converted between
// floating types only. Throws UserError "FILE: " and the differences, the first eight where there are many.
void load_tensors(const SafeTensors& contents, const std::string& prefix, const NamedTensors& targets,
                  const std::string& place);

// Leaves out the counters (num_batches_tracked) of norms that `targets` has without one: norms that do not learn
// (NormKind::frozen) count nothing.
void drop_counters_of_frozen_norms(SafeTensors& contents, const NamedTensors& targets);

// As load_tensors for weights that others made: names become plain (plain_names.h), counters (num_batches_tracked) that
// are missing stay as they are, of another type are converted, and of norms that count nothing here are passed over.
void import_tensors(SafeTensors contents, const NamedTensors& targets, const std::string& place);

}  // namespace auxbench
