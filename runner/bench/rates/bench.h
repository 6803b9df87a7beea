// How a row is checked and timed: errors with their place, memory of the device, repetitions. For .cu files only.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "runner/bench/rates/report.h"

namespace auxbench::rates {

// Throws with the place of the call. Takes the error out of the runtime, so that the next row starts clean; an error
// that broke the context stays, which is_alive() tells.
inline void check(cudaError_t error, std::string_view what,
                  std::source_location place = std::source_location::current()) {
  if (error == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());
  const std::string_view path = place.file_name();
  throw std::runtime_error(std::string(path.substr(path.rfind('/') + 1)) + ":" + std::to_string(place.line()) + ": " +
                           std::string(what) + ": " + cudaGetErrorString(error));
}

inline bool is_alive() {
  static_cast<void>(cudaGetLastError());
  return cudaDeviceSynchronize() == cudaSuccess;
}

// An array in the device's memory.
template <typename T>
class DeviceArray {
 public:
  explicit DeviceArray(size_t size) : size_(size) { check(cudaMalloc(&data_, bytes()), "cudaMalloc"); }
  explicit DeviceArray(const std::vector<T>& host) : DeviceArray(host.size()) {
    check(cudaMemcpy(data_, host.data(), bytes(), cudaMemcpyHostToDevice), "copying to the device");
  }
  ~DeviceArray() { static_cast<void>(cudaFree(data_)); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] size_t bytes() const { return size_ * sizeof(T); }
  void fill(int byte) { check(cudaMemset(data_, byte, bytes()), "cudaMemset"); }
  [[nodiscard]] std::vector<T> host() const {
    std::vector<T> copy(size_);
    check(cudaMemcpy(copy.data(), data_, bytes(), cudaMemcpyDeviceToHost), "copying from the device");
    return copy;
  }

 private:
  T* data_ = nullptr;
  size_t size_;
};

// How long the first thread of a block ran, by its multiprocessor's clock and by the wall clock. Their ratio is the
// clock that was really held, whatever the driver states.
struct Stamp {
  long long cycles, nanoseconds;
};

__device__ inline Stamp now() {
  Stamp stamp;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(stamp.nanoseconds));
  stamp.cycles = clock64();
  return stamp;
}

__device__ inline void leave_stamp(const Stamp& start, Stamp* stamps) {
  if (threadIdx.x != 0) return;
  const Stamp end = now();
  stamps[blockIdx.x] = {end.cycles - start.cycles, end.nanoseconds - start.nanoseconds};
}

class Bench {
 public:
  static constexpr int kRepetitions = 11, kWarmUps = 2;

  Bench(const Device& device, double seconds_per_row)
      : device_(device),
        seconds_per_row_(seconds_per_row),
        stamps_(static_cast<size_t>(device.multiprocessors) * kBlocksPerMultiprocessor) {
    check(cudaEventCreate(&start_), "cudaEventCreate");
    check(cudaEventCreate(&end_), "cudaEventCreate");
  }
  ~Bench() {
    static_cast<void>(cudaEventDestroy(start_));
    static_cast<void>(cudaEventDestroy(end_));
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  [[nodiscard]] const Device& device() const { return device_; }
  [[nodiscard]] Stamp* stamps() const { return stamps_.data(); }

  // As many blocks as the device holds at once: every multiprocessor gets the same share, and none waits.
  template <typename Kernel>
  [[nodiscard]] int blocks_of(Kernel kernel, int threads) const {
    int resident = 0;
    check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, kernel, threads, 0), "occupancy");
    if (resident < 1) throw std::runtime_error("a block of this kernel does not fit a multiprocessor");
    return device_.multiprocessors * std::min(resident, kBlocksPerMultiprocessor);
  }

  // Launches once and waits: for checks.
  static void run_once(const std::function<void()>& launch);

  // Times launch(iterations), in which one iteration counts `units` on the whole device, and fills the row.
  //   blocks   of the launched kernel, all of which leave a stamp; 0: the launch leaves none and the row gets no clock
  void time(Row& row, double units, int blocks, const std::function<void(int)>& launch);

 private:
  static constexpr int kBlocksPerMultiprocessor = 32;

  double seconds_of(int iterations, const std::function<void(int)>& launch);
  double hertz(int blocks) const;

  Device device_;
  double seconds_per_row_;
  DeviceArray<Stamp> stamps_;
  cudaEvent_t start_ = nullptr, end_ = nullptr;
};

// A row and how it is measured. `measure` sets the status; what it throws becomes "failed: MESSAGE".
struct Job {
  Row row;
  std::function<void(Bench&, Row&)> measure;
};

// In the order of the report.
std::vector<Job> wgmma_jobs();
std::vector<Job> mma_jobs(const Device& device);
std::vector<Job> vector_jobs();
std::vector<Job> memory_jobs();

// Whether this device and this build have the instructions of wgmma_jobs().
bool has_wgmma();

}  // namespace auxbench::rates
