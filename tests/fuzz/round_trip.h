// Weights that were read are written as safetensors and read again: the same, or our fault.
#pragma once

#include <string>

#include "base/check.h"
#include "base/error.h"
#include "base/files/safetensors.h"

namespace auxbench::fuzz {

inline bool same(const SafeTensors& left, const SafeTensors& right) {
  if (left.metadata != right.metadata || left.tensors.size() != right.tensors.size()) return false;
  for (const auto& [name, tensor] : left.tensors) {
    const auto other = right.tensors.find(name);
    if (other == right.tensors.end()) return false;
    const auto& [dtype, shape, bytes] = other->second;
    if (tensor.dtype != dtype || tensor.shape != shape || tensor.bytes != bytes) return false;
  }
  return true;
}

inline void check_round_trip(const SafeTensors& contents) {
  const auto dumped = dump_safetensors(contents);
  try {
    AUXBENCH_CHECK(same(parse_safetensors(dumped, "dumped"), contents), "the tensors that were written");
  } catch (const UserError& error) {
    AUXBENCH_CHECK(false, std::string("a file of ours to be read, not ") + error.what());
  }
}

}  // namespace auxbench::fuzz
