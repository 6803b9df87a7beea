// fake_quant.h on a CUDA device, one kernel a pass; codes and dx are bit for bit what the CPU computes, sums are added
// in an order of their own, which is always the same.
//
// Spans and the formula's parameters are in the memory of the stream's device; the caller owns it; any length. Work is
// queued on the stream and not waited for. The calling thread's current device is the same afterwards as before.
// Throws std::runtime_error when the device refuses the launch (no code for it, say). Where nvcc was not there at build
// time cuda_absent.cc stands in: compiled() is false, calls are a fault of the caller.
#pragma once

#include "kernels/cuda/stream.h"
#include "kernels/fake_quant/fake_quant.h"
#include "kernels/fake_quant/moments.h"

namespace auxbench::fake_quant::cuda {

bool compiled();

using auxbench::cuda::Stream;

template <typename Formula, typename T>
void encode(const Formula& formula, std::span<const T> x, const Pieces& pieces, std::span<T> codes,
            std::span<T> statistics, Stream stream);

template <typename Formula, typename T>
void differentiate(const Formula& formula, std::span<const T> x, std::span<const T> gradient, const Pieces& pieces,
                   std::span<T> dx, std::span<T> sums, Stream stream);

// The moments of x (moments.h), added in the order of the CPU: bit for bit its numbers. `shares` is room for each
// piece of x; `moments` for kMoments numbers.
template <typename T>
void measure(std::span<const T> x, std::size_t length, std::span<PieceMoments> shares, std::span<T> moments,
             Stream stream);

}  // namespace auxbench::fake_quant::cuda
