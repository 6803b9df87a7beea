// What launchers share. For .cu files.
#pragma once

#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

#include "kernels/cuda/stream.h"

namespace auxbench::cuda {

// Throws std::runtime_error with the device's words.
inline void check(cudaError_t error) {
  if (error != cudaSuccess) throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(error));
}

inline cudaStream_t handle_of(const Stream& stream) { return static_cast<cudaStream_t>(stream.handle); }

// Makes a device the thread's current one, which a launch on its streams needs, and puts the old one back.
class OnDevice {
 public:
  explicit OnDevice(int device) {
    check(cudaGetDevice(&before_));
    if (before_ == device) return;
    check(cudaSetDevice(device));
    changed_ = true;
  }
  ~OnDevice() {
    if (changed_) static_cast<void>(cudaSetDevice(before_));  // it was current before: nothing new can fail
  }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

 private:
  int before_ = 0;
  bool changed_ = false;
};

}  // namespace auxbench::cuda
