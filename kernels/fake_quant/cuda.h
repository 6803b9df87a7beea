// The formulas of fake_quant.h on a CUDA device, one kernel a pass, bit for bit what the CPU computes.
//
// Spans are over device memory, which the caller owns; any length. Work is queued on the default stream and not waited
// for. Throws std::runtime_error when the device refuses the launch (no code for it, say). Where nvcc was not there at
// build time cuda_absent.cc stands in: compiled() is false and map() is a fault of the caller.
#pragma once

#include "kernels/fake_quant/fake_quant.h"

namespace auxbench::fake_quant::cuda {

bool compiled();

template <typename Formula, typename T>
void map(const Formula& formula, std::span<const T> x, std::span<T> out);
template <typename Formula, typename T>
void map(const Formula& formula, std::span<const T> x, std::span<const T> gradient, std::span<T> out);

}  // namespace auxbench::fake_quant::cuda
