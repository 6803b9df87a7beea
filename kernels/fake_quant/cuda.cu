// Kernels and launchers of cuda.h: one block a piece. Bound by memory; each thread strides through its piece.
#include <stdexcept>
#include <string>

#include "kernels/fake_quant/cuda.h"

namespace auxbench::fake_quant::cuda {
namespace {

constexpr int kThreads = 256;

// Adds up one number per thread; the result is thread 0's.
template <typename T>
__device__ T block_sum(T value) {
  __shared__ T part[kThreads];
  part[threadIdx.x] = value;
  for (int half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) part[threadIdx.x] += part[threadIdx.x + half];
  }
  __syncthreads();
  const T total = part[0];
  __syncthreads();
  return total;
}

template <std::size_t Sums, typename T>
__device__ void store_sums(const T* own, T* sums) {
  for (std::size_t k = 0; k < Sums; ++k) {
    const T total = block_sum(own[k]);
    if (threadIdx.x == 0) sums[k] = total;
  }
}

template <typename Formula, typename T>
__global__ void encode_piece(Formula formula, const T* x, size_t n, size_t length, size_t first, T* codes,
                             T* statistics) {
  const size_t piece = first + blockIdx.x;
  const size_t end = min(n, (piece + 1) * length);
  const auto element = formula.at(piece);
  constexpr std::size_t kCounts = Formula::kStatistics;
  T total[kCounts + 1] = {};
  for (size_t i = piece * length + threadIdx.x; i < end; i += kThreads) {
    codes[i] = element.code(x[i]);
    if constexpr (kCounts > 0) {
      T own[kCounts];
      if (statistics == nullptr) continue;
      element.statistics(x[i], own);
      for (std::size_t k = 0; k < kCounts; ++k) total[k] += own[k];
    }
  }
  if (kCounts > 0 && statistics != nullptr) store_sums<kCounts>(total, statistics + piece * kCounts);
}

template <typename Formula, typename T>
__global__ void differentiate_piece(Formula formula, const T* x, const T* gradient, size_t n, size_t length,
                                    size_t first, T* dx, T* sums) {
  const size_t piece = first + blockIdx.x;
  const size_t end = min(n, (piece + 1) * length);
  const auto element = formula.at(piece);
  constexpr std::size_t kSums = Formula::kSums;
  T total[kSums + 1] = {};
  for (size_t i = piece * length + threadIdx.x; i < end; i += kThreads) {
    T own[kSums + 1];
    dx[i] = element.gradient(x[i], gradient[i], own);
    for (std::size_t k = 0; k < kSums; ++k) total[k] += own[k];
  }
  store_sums<kSums>(total, sums + piece * kSums);
}

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

unsigned blocks_of(const Pieces& pieces) { return static_cast<unsigned>(pieces.last - pieces.first); }

}  // namespace

bool compiled() { return true; }

template <typename Formula, typename T>
void encode(const Formula& formula, std::span<const T> x, const Pieces& pieces, std::span<T> codes,
            std::span<T> statistics) {
  if (blocks_of(pieces) == 0) return;  // a grid of no blocks is refused
  use_device_of(x.data());
  encode_piece<<<blocks_of(pieces), kThreads>>>(formula, x.data(), x.size(), pieces.length, pieces.first, codes.data(),
                                                statistics.empty() ? nullptr : statistics.data());
  check(cudaGetLastError());
}

template <typename Formula, typename T>
void differentiate(const Formula& formula, std::span<const T> x, std::span<const T> gradient, const Pieces& pieces,
                   std::span<T> dx, std::span<T> sums) {
  if (blocks_of(pieces) == 0) return;
  use_device_of(x.data());
  differentiate_piece<<<blocks_of(pieces), kThreads>>>(formula, x.data(), gradient.data(), x.size(), pieces.length,
                                                       pieces.first, dx.data(), sums.data());
  check(cudaGetLastError());
}

#include "kernels/fake_quant/instantiate.inc"

}  // namespace auxbench::fake_quant::cuda
