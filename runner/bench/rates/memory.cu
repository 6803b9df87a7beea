// Rows of memory: copying 1 GiB within the device's memory, reading what stays in the second-level cache.
#include <cstdint>

#include "runner/bench/rates/bench.h"

namespace auxbench::rates {
namespace {

constexpr int kThreads = 512;
constexpr size_t kCopiedBytes = size_t{1} << 30;
constexpr size_t kRoom = 3 * kCopiedBytes / 10;  // what else the device may need besides source and target
constexpr int kLoads = 8;                        // pieces of 16 bytes a thread has in flight

// Hashes of the position: nothing that a compressing memory could shorten.
__global__ void __launch_bounds__(kThreads) fill_random(uint4* data, size_t pieces) {
  const auto stride = static_cast<size_t>(gridDim.x) * kThreads;
  for (size_t i = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x; i < pieces; i += stride) {
    uint64_t hashes[2];
    for (int half = 0; half < 2; ++half) {
      uint64_t z = (2 * i + static_cast<size_t>(half) + 1) * 0x9E3779B97F4A7C15ULL;
      z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
      z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
      hashes[half] = z ^ z >> 31;
    }
    data[i] = make_uint4(static_cast<uint32_t>(hashes[0]), static_cast<uint32_t>(hashes[0] >> 32),
                         static_cast<uint32_t>(hashes[1]), static_cast<uint32_t>(hashes[1] >> 32));
  }
}

// Each block copies runs of kLoads * kThreads pieces, of which `pieces` is a multiple.
__global__ void __launch_bounds__(kThreads) copy(const uint4* source, uint4* target, size_t pieces) {
  constexpr size_t kRun = static_cast<size_t>(kLoads) * kThreads;
  for (size_t run = blockIdx.x * kRun; run < pieces; run += gridDim.x * kRun) {
    uint4 loaded[kLoads];
#pragma unroll
    for (int k = 0; k < kLoads; ++k) loaded[k] = source[run + static_cast<size_t>(k) * kThreads + threadIdx.x];
#pragma unroll
    for (int k = 0; k < kLoads; ++k) target[run + static_cast<size_t>(k) * kThreads + threadIdx.x] = loaded[k];
  }
}

__global__ void __launch_bounds__(kThreads)
    count_different(const uint4* a, const uint4* b, size_t pieces, unsigned long long* count) {
  const auto stride = static_cast<size_t>(gridDim.x) * kThreads;
  unsigned long long own = 0;
  for (size_t i = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x; i < pieces; i += stride) {
    const uint4 x = a[i], y = b[i];
    own += x.x != y.x || x.y != y.y || x.z != y.z || x.w != y.w;
  }
  if (own > 0) atomicAdd(count, own);
}

// Every block reads all of data `iterations` times, starting at its own place, past the first-level cache, and adds up
// all words modulo 2^32. data: whole runs of kLoads * kThreads pieces.
__global__ void __launch_bounds__(kThreads)
    read_all(const uint4* data, int runs, int iterations, unsigned* sums, Stamp* stamps) {
  const int first = static_cast<int>(static_cast<long long>(runs) * blockIdx.x / gridDim.x);
  const Stamp start = now();
  unsigned sum = 0;
  for (int i = 0; i < iterations; ++i)
    for (int step = 0; step < runs; ++step) {
      const int run = first + step < runs ? first + step : first + step - runs;
      const uint4* piece = data + static_cast<size_t>(run) * kLoads * kThreads + threadIdx.x;
      uint4 loaded[kLoads];
#pragma unroll
      for (int k = 0; k < kLoads; ++k) loaded[k] = __ldcg(piece + k * kThreads);
#pragma unroll
      for (int k = 0; k < kLoads; ++k) sum += loaded[k].x + loaded[k].y + loaded[k].z + loaded[k].w;
    }
  leave_stamp(start, stamps);
  atomicAdd(sums + blockIdx.x, sum);
}

void fill(const Bench& bench, const DeviceArray<uint4>& data) {
  const auto blocks = static_cast<unsigned>(bench.blocks_of(fill_random, kThreads));
  Bench::run_once([&] { fill_random<<<blocks, kThreads>>>(data.data(), data.size()); });
}

bool are_equal(const Bench& bench, const DeviceArray<uint4>& a, const DeviceArray<uint4>& b) {
  DeviceArray<unsigned long long> count(1);
  count.fill(0);
  const auto blocks = static_cast<unsigned>(bench.blocks_of(count_different, kThreads));
  Bench::run_once([&] { count_different<<<blocks, kThreads>>>(a.data(), b.data(), a.size(), count.data()); });
  return count.host()[0] == 0;
}

using Copy = std::function<void(const Bench&, const DeviceArray<uint4>&, const DeviceArray<uint4>&)>;

void copy_by_runtime(const Bench&, const DeviceArray<uint4>& source, const DeviceArray<uint4>& target) {
  check(cudaMemcpyAsync(target.data(), source.data(), source.bytes(), cudaMemcpyDeviceToDevice), "cudaMemcpyAsync");
}

void copy_by_kernel(const Bench& bench, const DeviceArray<uint4>& source, const DeviceArray<uint4>& target) {
  const auto blocks = static_cast<unsigned>(bench.blocks_of(copy, kThreads));
  copy<<<blocks, kThreads>>>(source.data(), target.data(), source.size());
}

void measure_copy(Bench& bench, Row& row, const Copy& copy_once) {
  size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  if (free < 2 * kCopiedBytes + kRoom) {
    row.note = "less than 2.3 GiB of memory are free";
    return;
  }
  const DeviceArray<uint4> source(kCopiedBytes / sizeof(uint4));
  DeviceArray<uint4> target(source.size());
  fill(bench, source);
  target.fill(0);
  Bench::run_once([&] { copy_once(bench, source, target); });
  if (!are_equal(bench, source, target)) {
    row.status = kWrong;
    return;
  }
  // A byte copied is a byte read and a byte written.
  bench.time(row, 2.0 * static_cast<double>(kCopiedBytes), 0, [&](int iterations) {
    for (int i = 0; i < iterations; ++i) copy_once(bench, source, target);
  });
}

// A quarter of the cache: some devices keep one copy of what is read in each of its halves.
void measure_cache(Bench& bench, Row& row) {
  constexpr size_t kRunPieces = static_cast<size_t>(kLoads) * kThreads;
  const int runs = static_cast<int>(bench.device().l2_bytes / 4 / static_cast<long long>(kRunPieces * sizeof(uint4)));
  if (runs == 0) {
    row.note = "the driver states no second-level cache";
    return;
  }
  const DeviceArray<uint4> data(static_cast<size_t>(runs) * kRunPieces);
  fill(bench, data);
  uint32_t total = 0;
  for (const uint4& piece : data.host()) total += piece.x + piece.y + piece.z + piece.w;
  const int blocks = bench.blocks_of(read_all, kThreads);
  DeviceArray<unsigned> sums(static_cast<size_t>(blocks));
  const auto launch = [&](int iterations) {
    read_all<<<static_cast<unsigned>(blocks), kThreads>>>(data.data(), runs, iterations, sums.data(), bench.stamps());
  };
  constexpr int kIterations = 3;
  sums.fill(0);
  Bench::run_once([&] { launch(kIterations); });
  for (const unsigned sum : sums.host())
    if (sum != kIterations * total) {
      row.status = kWrong;
      return;
    }
  bench.time(row, static_cast<double>(blocks) * static_cast<double>(data.bytes()), blocks, launch);
}

Job job(const std::string& name, std::function<void(Bench&, Row&)> measure) {
  Row row;
  row.name = name;
  row.group = "memory";
  row.unit = "bytes";
  return {row, std::move(measure)};
}

}  // namespace

std::vector<Job> memory_jobs() {
  return {job("copy of 1 GiB, read and written: cudaMemcpyAsync",
              [](Bench& bench, Row& row) { measure_copy(bench, row, copy_by_runtime); }),
          job("copy of 1 GiB, read and written: kernel",
              [](Bench& bench, Row& row) { measure_copy(bench, row, copy_by_kernel); }),
          job("read of a quarter of the second-level cache", measure_cache)};
}

}  // namespace auxbench::rates
