// Kernels and launchers of cuda.h.
#include "kernels/box_nms/cuda.h"

#include "base/check.h"
#include "kernels/cuda/launch.h"

namespace auxbench::box_nms::cuda {
namespace {

constexpr int kThreads = 256;
constexpr uint32_t kWord = 64;                     // boxes of a word of the mask
constexpr uint64_t kDropped = ~uint64_t{0} << 32;  // beyond the rank of every score

// Boxes in their order: arrays of n each, then a mask of n rows.
struct Workspace {
  uint64_t* keys;       // [n], in the caller's order: rank << 32 | index
  uint64_t* mask;       // [n, words]: which later boxes a box suppresses
  uint64_t* removed;    // [words]
  float* corners;       // [n, 4]
  uint32_t* index;      // [n]: the caller's
  int32_t* classes;     // [n]
  uint32_t* remaining;  // [1]: how many boxes take part
};

__host__ __device__ inline size_t words_of(size_t n) { return (n + kWord - 1) / kWord; }

Workspace divide(std::byte* memory, size_t n) {
  Workspace w = {};
  w.keys = reinterpret_cast<uint64_t*>(memory);
  w.mask = w.keys + n;
  w.removed = w.mask + n * words_of(n);
  w.corners = reinterpret_cast<float*>(w.removed + words_of(n));
  w.index = reinterpret_cast<uint32_t*>(w.corners + 4 * n);
  w.classes = reinterpret_cast<int32_t*>(w.index + n);
  w.remaining = reinterpret_cast<uint32_t*>(w.classes + n);
  return w;
}

__device__ bool finite(float x) { return isfinite(x); }

// Falling scores as rising whole numbers, as in box_nms.cc.
__global__ void make_keys(const float* corners, const float* scores, uint32_t n, Workspace w) {
  const uint32_t i = blockIdx.x * kThreads + threadIdx.x;
  if (i == 0) *w.remaining = 0;
  if (i < words_of(n)) w.removed[i] = 0;
  if (i >= n) return;
  const float* box = corners + 4 * size_t{i};
  const bool takes_part = !isnan(scores[i]) && finite(box[0]) && finite(box[1]) && finite(box[2]) && finite(box[3]);
  const uint32_t bits = __float_as_uint(scores[i] + 0.0F);
  const uint32_t rank = (bits >> 31) != 0 ? bits : bits ^ 0x7fffffffU;
  w.keys[i] = (takes_part ? uint64_t{rank} << 32 : kDropped) | i;
}

// A box's place is the number of smaller keys; no two are equal.
__global__ void sort_boxes(const float* corners, const int32_t* classes, uint32_t n, Workspace w) {
  __shared__ uint64_t tile[kThreads];
  const uint32_t i = blockIdx.x * kThreads + threadIdx.x;
  const uint64_t own = i < n ? w.keys[i] : ~uint64_t{0};
  uint32_t place = 0;
  for (uint32_t first = 0; first < n; first += kThreads) {
    const uint32_t j = first + threadIdx.x;
    tile[threadIdx.x] = j < n ? w.keys[j] : ~uint64_t{0};
    __syncthreads();
    for (uint32_t k = 0; k < kThreads; ++k) place += tile[k] < own ? 1 : 0;
    __syncthreads();
  }
  if (i >= n) return;
  for (uint32_t k = 0; k < 4; ++k) w.corners[4 * size_t{place} + k] = corners[4 * size_t{i} + k];
  w.index[place] = i;
  w.classes[place] = classes == nullptr ? 0 : classes[i];
  if (own < kDropped) atomicAdd(w.remaining, 1U);
}

__device__ float area(const float* box) { return (box[2] - box[0]) * (box[3] - box[1]); }

__device__ bool suppresses(const float* a, const float* b, float threshold) {
  const float width = fmaxf(0.0F, fminf(a[2], b[2]) - fmaxf(a[0], b[0]));
  const float height = fmaxf(0.0F, fminf(a[3], b[3]) - fmaxf(a[1], b[1]));
  const float inter = width * height;
  return __fdiv_rn(inter, (area(a) + area(b)) - inter) > threshold;
}

// A thread a word of the mask: one box against 64 later ones.
__global__ void compare_pairs(uint32_t n, float threshold, Workspace w) {
  const size_t words = words_of(n), at = size_t{blockIdx.x} * kThreads + threadIdx.x;
  const auto i = static_cast<uint32_t>(at / words), word = static_cast<uint32_t>(at % words);
  if (i >= *w.remaining) return;
  const float box[4] = {w.corners[4 * size_t{i}], w.corners[4 * size_t{i} + 1], w.corners[4 * size_t{i} + 2],
                        w.corners[4 * size_t{i} + 3]};
  uint64_t bits = 0;
  for (uint32_t k = 0; k < kWord; ++k) {
    const uint32_t j = word * kWord + k;
    if (j <= i || j >= *w.remaining || w.classes[i] != w.classes[j]) continue;
    if (suppresses(box, w.corners + 4 * size_t{j}, threshold)) bits |= uint64_t{1} << k;
  }
  w.mask[i * words + word] = bits;
}

// One block walks through the order; all of it takes the same turns, since what it reads is the same for all.
__global__ void keep_boxes(uint32_t n, uint32_t most, Workspace w, uint32_t* kept, uint32_t* count) {
  const size_t words = words_of(n);
  uint32_t found = 0;
  const uint32_t remaining = *w.remaining;
  for (uint32_t i = 0; i < remaining && found < most; ++i) {
    const bool removed = (w.removed[i / kWord] >> (i % kWord) & 1) != 0;
    if (removed) continue;
    __syncthreads();  // nobody still reads what is written next
    if (threadIdx.x == 0) kept[found] = w.index[i];
    ++found;
    for (size_t word = i / kWord + threadIdx.x; word < words; word += kThreads)
      w.removed[word] |= w.mask[i * words + word];
    __syncthreads();
  }
  if (threadIdx.x == 0) *count = found;
}

using auxbench::cuda::check;
using auxbench::cuda::handle_of;
using auxbench::cuda::OnDevice;

unsigned blocks_of(size_t threads) { return static_cast<unsigned>((threads + kThreads - 1) / kThreads); }

}  // namespace

bool compiled() { return true; }

size_t workspace_bytes(size_t boxes) {
  return sizeof(uint64_t) * (boxes + boxes * words_of(boxes) + words_of(boxes)) +
         boxes * (4 * sizeof(float) + sizeof(uint32_t) + sizeof(int32_t)) + sizeof(uint64_t);
}

void nms(const Boxes& boxes, float threshold, std::span<std::byte> workspace, std::span<uint32_t> kept,
         std::span<uint32_t> count, Stream stream) {
  const size_t n = boxes.scores.size();
  AUXBENCH_CHECK(boxes.corners.size() == 4 * n, "four corners a score");
  AUXBENCH_CHECK(boxes.classes.empty() || boxes.classes.size() == n, "a class a score");
  AUXBENCH_CHECK(workspace.size() >= workspace_bytes(n) && !count.empty(), "room for what is made");
  AUXBENCH_CHECK(n < (uint64_t{1} << 31), "fewer boxes than indices");
  AUXBENCH_CHECK(threshold >= 0, "a threshold of at least 0");
  const OnDevice current(stream.device);
  const auto queue = handle_of(stream);
  const auto number = static_cast<uint32_t>(n);
  const auto most = static_cast<uint32_t>(kept.size() < n ? kept.size() : n);
  const auto w = divide(workspace.data(), n);
  make_keys<<<blocks_of(n + 1), kThreads, 0, queue>>>(boxes.corners.data(), boxes.scores.data(), number, w);
  check(cudaGetLastError());
  if (n > 0) {
    sort_boxes<<<blocks_of(n), kThreads, 0, queue>>>(boxes.corners.data(),
                                                     boxes.classes.empty() ? nullptr : boxes.classes.data(), number, w);
    check(cudaGetLastError());
    compare_pairs<<<blocks_of(n * words_of(n)), kThreads, 0, queue>>>(number, threshold, w);
    check(cudaGetLastError());
  }
  keep_boxes<<<1, kThreads, 0, queue>>>(number, most, w, kept.data(), count.data());
  check(cudaGetLastError());
}

}  // namespace auxbench::box_nms::cuda
