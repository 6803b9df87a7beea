// The kernels of kernels/fake_quant as differentiable functions of tensors, one pass each way, all cores.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/fake_quant/fake_quant.h"

namespace auxbench {

// x: float32 or float64, any shape. Saves x alone.
at::Tensor clip_quantize(const at::Tensor& x, const fake_quant::ClipGrid& grid);

// The value of `quantized` with the gradient of x: exactly the level, which x + (q - x) would miss by a rounding.
at::Tensor straight_through(const at::Tensor& x, const at::Tensor& quantized);

// DoReFa weights for k >= 2. Saves w's tanh alone.
at::Tensor dorefa_weight(const at::Tensor& w, double steps, bool detach_max);

}  // namespace auxbench
