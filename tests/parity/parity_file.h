// What both tests of training steps do with the files of parity. For .cc files.
#pragma once

#include <string>
#include <vector>

#include "base/torch_prelude.h"
#include "models/weights.h"

namespace auxbench::test {

// The tensors whose names begin with one of `prefixes`, under their names.
inline SafeTensors tensors_with(const SafeTensors& file, const std::vector<std::string>& prefixes) {
  SafeTensors part;
  for (const auto& [name, tensor] : file.tensors)
    for (const auto& prefix : prefixes)
      if (name.starts_with(prefix)) part.tensors[name] = tensor;
  return part;
}

inline double largest_difference(const SafeTensor& found, const SafeTensor& wanted) {
  const auto difference =
      from_safetensor(found, "found").to(at::kDouble) - from_safetensor(wanted, "wanted").to(at::kDouble);
  return difference.numel() == 0 ? 0 : difference.abs().max().item<double>();
}

}  // namespace auxbench::test
