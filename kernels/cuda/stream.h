// A stream of a CUDA device, named without CUDA's headers: what launchers of every family take.
#pragma once

namespace auxbench::cuda {

// The handle is a cudaStream_t; null is the default stream.
// With LibTorch: device.index() and c10::impl::VirtualGuardImpl(c10::kCUDA).getStream(device).native_handle().
struct Stream {
  int device = 0;
  void* handle = nullptr;
};

}  // namespace auxbench::cuda
