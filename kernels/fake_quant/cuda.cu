// Kernels and launchers of cuda.h: one block a piece. Bound by memory; each thread strides through its piece.
#include "kernels/cuda/launch.h"
#include "kernels/fake_quant/cuda.h"
#include "kernels/fake_quant/lanes.h"

namespace auxbench::fake_quant::cuda {
namespace {

constexpr int kThreads = 256;

constexpr int kWarp = 32;

// Adds up one number per thread; every thread gets the result.
template <typename T>
__device__ T block_sum(T value) {
  __shared__ T part[kThreads / kWarp];
  for (int distance = kWarp / 2; distance > 0; distance /= 2) value += __shfl_down_sync(0xffffffffU, value, distance);
  if (threadIdx.x % kWarp == 0) part[threadIdx.x / kWarp] = value;
  __syncthreads();
  T total = 0;
  for (int warp = 0; warp < kThreads / kWarp; ++warp) total += part[warp];
  __syncthreads();  // the next sum reuses the memory
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

// combine() of moments.h by one block: it reads a stretch of pieces and computes their terms, then single threads add
// them in the order of the CPU, the three sums of the first pass in warps of their own.
template <typename T>
__global__ void combine_pieces(const PieceMoments* shares, size_t n, size_t length, T* moments) {
  __shared__ double terms[3][kThreads];
  __shared__ Totals totals;
  const size_t count = (n + length - 1) / length;
  const unsigned adder = threadIdx.x / kWarp;
  const bool adds = threadIdx.x % kWarp == 0 && adder < 3;
  double sum = 0;
  for (size_t first = 0; first < count; first += kThreads) {
    const size_t piece = first + threadIdx.x, filled = min(count - first, static_cast<size_t>(kThreads));
    if (piece < count) {
      terms[0][threadIdx.x] = shares[piece].sum;
      terms[1][threadIdx.x] = shares[piece].magnitude;
      terms[2][threadIdx.x] = shares[piece].largest;
    }
    __syncthreads();
    if (adds)
      for (size_t i = 0; i < filled; ++i) sum = adder == 2 ? larger(sum, terms[2][i]) : sum + terms[adder][i];
    __syncthreads();
  }
  if (adds) (adder == 0 ? totals.sum : adder == 1 ? totals.magnitude : totals.largest) = sum;
  __syncthreads();
  const double mean = mean_of(totals, n);
  double squares = 0;
  for (size_t first = 0; first < count; first += kThreads) {
    const size_t piece = first + threadIdx.x, filled = min(count - first, static_cast<size_t>(kThreads));
    if (piece < count) terms[0][threadIdx.x] = squares_around(mean, shares[piece], piece, n, length);
    __syncthreads();
    if (threadIdx.x == 0)
      for (size_t i = 0; i < filled; ++i) squares += terms[0][i];
    __syncthreads();
  }
  if (threadIdx.x == 0) store_moments(totals, squares, n, moments);
}

using auxbench::cuda::check;
using auxbench::cuda::handle_of;
using auxbench::cuda::OnDevice;

unsigned blocks_of(const Pieces& pieces) { return static_cast<unsigned>(pieces.last - pieces.first); }

}  // namespace

bool compiled() { return true; }

template <typename Formula, typename T>
void encode(const Formula& formula, std::span<const T> x, const Pieces& pieces, std::span<T> codes,
            std::span<T> statistics, Stream stream) {
  if (blocks_of(pieces) == 0) return;  // a grid of no blocks is refused
  const OnDevice current(stream.device);
  encode_piece<<<blocks_of(pieces), kThreads, 0, handle_of(stream)>>>(formula, x.data(), x.size(), pieces.length,
                                                                      pieces.first, codes.data(),
                                                                      statistics.empty() ? nullptr : statistics.data());
  check(cudaGetLastError());
}

template <typename Formula, typename T>
void differentiate(const Formula& formula, std::span<const T> x, std::span<const T> gradient, const Pieces& pieces,
                   std::span<T> dx, std::span<T> sums, Stream stream) {
  if (blocks_of(pieces) == 0) return;
  const OnDevice current(stream.device);
  differentiate_piece<<<blocks_of(pieces), kThreads, 0, handle_of(stream)>>>(
      formula, x.data(), gradient.data(), x.size(), pieces.length, pieces.first, dx.data(), sums.data());
  check(cudaGetLastError());
}

template <typename T>
void measure(std::span<const T> x, std::size_t length, std::span<PieceMoments> shares, std::span<T> moments,
             Stream stream) {
  const size_t count = Pieces::of(x.size(), length).last;
  const OnDevice current(stream.device);
  if (count > 0) {
    const auto blocks = static_cast<unsigned>((count + kPiecesPerBlock - 1) / kPiecesPerBlock);
    measure_pieces<<<blocks, kThreads, 0, handle_of(stream)>>>(x.data(), x.size(), length, count, shares.data());
    check(cudaGetLastError());
  }
  combine_pieces<<<1, kThreads, 0, handle_of(stream)>>>(shares.data(), x.size(), length, moments.data());
  check(cudaGetLastError());
}
template void measure<float>(std::span<const float>, std::size_t, std::span<PieceMoments>, std::span<float>, Stream);
template void measure<double>(std::span<const double>, std::size_t, std::span<PieceMoments>, std::span<double>, Stream);

#define AUXBENCH_LAST_ARGUMENT , Stream
#include "kernels/fake_quant/instantiate.inc"

}  // namespace auxbench::fake_quant::cuda
