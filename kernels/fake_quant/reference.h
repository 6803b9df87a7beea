// The slow truth of fake_quant.h: one element at a time, in the order the papers write it.
#pragma once

#include "kernels/fake_quant/fake_quant.h"

namespace auxbench::reference {

template <typename T>
T clip_quantize(T x, const ClipGrid& grid);

template <typename T>
T clip_quantize_backward(T x, T gradient, const ClipGrid& grid);

template <typename T>
T dorefa_weight(T t, T max_abs, double steps);

}  // namespace auxbench::reference
