// Kernels and launchers of cuda.h. Bound by memory: each thread keeps four independent loads in flight.
#include <stdexcept>
#include <string>

#include "kernels/fake_quant/cuda.h"

namespace auxbench::fake_quant::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kPerThread = 4;
constexpr size_t kPerBlock = size_t{kThreads} * kPerThread;

template <typename Body>
__device__ void for_each_element(size_t n, const Body& body) {
  const size_t first = blockIdx.x * kPerBlock + threadIdx.x;
#pragma unroll
  for (int k = 0; k < kPerThread; ++k)
    if (const size_t i = first + static_cast<size_t>(k) * kThreads; i < n) body(i);
}

template <typename Formula, typename T>
__global__ void map_unary(Formula formula, const T* x, size_t n, T* out) {
  for_each_element(n, [&](size_t i) { out[i] = formula(x[i]); });
}

template <typename Formula, typename T>
__global__ void map_binary(Formula formula, const T* x, const T* gradient, size_t n, T* out) {
  for_each_element(n, [&](size_t i) { out[i] = formula(x[i], gradient[i]); });
}

unsigned blocks_for(size_t n) { return static_cast<unsigned>((n + kPerBlock - 1) / kPerBlock); }

void check(cudaError_t error) {
  if (error != cudaSuccess)
    throw std::runtime_error(std::string("CUDA fake quantization: ") + cudaGetErrorString(error));
}

// Another runtime in the process (LibTorch's) may have chosen the device; the memory itself knows.
void use_device_of(const void* memory) {
  cudaPointerAttributes attributes{};
  check(cudaPointerGetAttributes(&attributes, memory));
  check(cudaSetDevice(attributes.device));
}

}  // namespace

bool compiled() { return true; }

template <typename Formula, typename T>
void map(const Formula& formula, std::span<const T> x, std::span<T> out) {
  if (x.empty()) return;  // a grid of no blocks is refused
  use_device_of(x.data());
  map_unary<<<blocks_for(x.size()), kThreads>>>(formula, x.data(), x.size(), out.data());
  check(cudaGetLastError());
}

template <typename Formula, typename T>
void map(const Formula& formula, std::span<const T> x, std::span<const T> gradient, std::span<T> out) {
  if (x.empty()) return;
  use_device_of(x.data());
  map_binary<<<blocks_for(x.size()), kThreads>>>(formula, x.data(), gradient.data(), x.size(), out.data());
  check(cudaGetLastError());
}

#include "kernels/fake_quant/instantiate.inc"

}  // namespace auxbench::fake_quant::cuda
