// Kernels and launchers of cuda.h: one block a piece. Bound by memory; each thread strides through its piece.
#include <stdexcept>
#include <string>

#include "kernels/fake_quant/cuda.h"
#include "kernels/fake_quant/lanes.h"

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

// One thread a lane, as many pieces a block as there is room for: the additions of moments.cc in their order.
constexpr int kPiecesPerBlock = kThreads / static_cast<int>(kLanes);

template <typename T>
__global__ void measure_pieces(const T* x, size_t n, size_t length, size_t count, PieceMoments* shares) {
  __shared__ T lanes[4][kPiecesPerBlock][kLanes];
  __shared__ T means[kPiecesPerBlock];
  const size_t lane = threadIdx.x % kLanes, slot = threadIdx.x / kLanes;
  const size_t piece = blockIdx.x * static_cast<size_t>(kPiecesPerBlock) + slot;
  const size_t begin = piece * length, end = piece < count ? min(n, begin + length) : 0;
  T sum = 0, magnitudes = 0, largest = 0, squares = 0;
  for (size_t i = begin + lane; i < end; i += kLanes) {
    const T size = magnitude(x[i]);
    sum += x[i];
    magnitudes += size;
    largest = size > largest ? size : largest;
  }
  lanes[0][slot][lane] = sum;
  lanes[1][slot][lane] = magnitudes;
  lanes[2][slot][lane] = largest;
  __syncthreads();
  PieceMoments share;
  if (lane == 0 && piece < count) {
    for (size_t l = 0; l < kLanes; ++l) {
      share.sum += static_cast<double>(lanes[0][slot][l]);
      share.magnitude += static_cast<double>(lanes[1][slot][l]);
      share.largest = fmax(share.largest, static_cast<double>(lanes[2][slot][l]));
    }
    if (share.magnitude != share.magnitude) share.largest = share.magnitude;
    means[slot] = static_cast<T>(share.sum / static_cast<double>(end - begin));
  }
  __syncthreads();
  const T mean = means[slot];
  for (size_t i = begin + lane; i < end; i += kLanes) squares += (x[i] - mean) * (x[i] - mean);
  lanes[3][slot][lane] = squares;
  __syncthreads();
  if (lane != 0 || piece >= count) return;
  for (size_t l = 0; l < kLanes; ++l) share.squares += static_cast<double>(lanes[3][slot][l]);
  shares[piece] = share;
}

template <typename T>
__global__ void combine_pieces(const PieceMoments* shares, size_t n, size_t length, T* moments) {
  combine(shares, n, length, moments);
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

template <typename T>
void measure(std::span<const T> x, std::size_t length, std::span<PieceMoments> shares, std::span<T> moments) {
  const size_t count = Pieces::of(x.size(), length).last;
  use_device_of(moments.data());
  if (count > 0) {
    const auto blocks = static_cast<unsigned>((count + kPiecesPerBlock - 1) / kPiecesPerBlock);
    measure_pieces<<<blocks, kThreads>>>(x.data(), x.size(), length, count, shares.data());
    check(cudaGetLastError());
  }
  combine_pieces<<<1, 1>>>(shares.data(), x.size(), length, moments.data());
  check(cudaGetLastError());
}
template void measure<float>(std::span<const float>, std::size_t, std::span<PieceMoments>, std::span<float>);
template void measure<double>(std::span<const double>, std::size_t, std::span<PieceMoments>, std::span<double>);

#include "kernels/fake_quant/instantiate.inc"

}  // namespace auxbench::fake_quant::cuda
