// The vector forms of apply() and apply_rows(), one unit per instruction set. For .cc files of this folder.
#pragma once

#include "kernels/requantize/requantize.h"

namespace auxbench::requantize {

struct Paths {
  Apply apply = nullptr;
  ApplyRows apply_rows = nullptr;
};

Paths avx2_paths();
Paths avx512_paths();

// The v that code_of() encodes: the chain up to the clamp, without partial or residual.
float value_of(const Epilogue& epilogue, int32_t acc, int64_t channel, int64_t border_class);

}  // namespace auxbench::requantize
