// The device a run uses, and the CUDA half of LibTorch when it is asked for.
//
// The program links torch_cpu and c10 alone; libtorch_cuda.so is loaded the first time a CUDA device is named, before
// anything asks LibTorch for CUDA (the answer is cached there).
#pragma once

#include <c10/core/Device.h>

#include <string>

#include "base/machine.h"

namespace auxbench {

// "cpu" | "cuda" | "cuda:N". Throws UserError(usage) for anything else, or when CUDA or the device is not there.
// Opening a CUDA device asks LibTorch for deterministic algorithms, in the whole process and before any work: the same
// seeds give the same numbers on the same kind of card. An operation that has none warns once and goes on.
c10::Device open_device(const std::string& name);

// What open_device chose and a number depends on, as it is now: "cudnn deterministic, no benchmark, tf32 convolutions,
// fp32 matrix products, ..."; empty for a CPU. Sums of codes never use TF32, whatever this says (exact_conv.h).
std::string device_flags(const c10::Device& device);

// What the number depends on: "cpu" or "cuda".
std::string device_class(const c10::Device& device);

// "NVIDIA H100 80GB HBM3 (driver for CUDA 13.0)", from the driver; empty for a CPU.
std::string gpu_name(const c10::Device& device);

std::string torch_version();

// All processors this process may use, or what LibTorch was told.
void use_threads(int threads);
int threads_used();

// Waits for all work given to the device: before a clock is read.
void synchronize(const c10::Device& device);

}  // namespace auxbench
