// A convolution of codes by `weights`, exact, and what follows (kernels/lowbit_conv, kernels/requantize).
//
//   acc = sum over r, s, c of weight code,    v = float(acc scale) + partial + offset terms,    and so on
// `offset_scale`: what an offset of the input adds; class_terms[k][c] = float(sum of the weights inside for border class
// k) offset_scale[c].
#pragma once

#include "deploy/operation.h"

namespace auxbench {

const Operation& convolution_operation();

}  // namespace auxbench
