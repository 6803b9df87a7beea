// The slow truth of fake_quant.h: one element at a time, in the order the papers write it.
#pragma once

#include "kernels/fake_quant/fake_quant.h"

namespace auxbench::fake_quant::reference {

template <typename T>
T clip_level(T x, const ClipGrid& grid);

template <typename T>
T clip_gradient(T x, T gradient, const ClipGrid& grid);

template <typename T>
T dorefa_level(T t, double max_abs, double steps);

template <typename T>
T dorefa_gradient(T t, T gradient, double max_abs);

}  // namespace auxbench::fake_quant::reference
