#include "runner/training/device.h"

#include <dlfcn.h>
#include <torch/version.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include "base/error.h"
#include "base/torch_prelude.h"
#include "runner/training/host_memory.h"

namespace auxbench {
namespace {

void load_cuda() {
  static const bool loaded = [] {
    // cuBLAS reads it once: with a workspace of its own for each stream its sums have one order. A user's choice stays.
    setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
    for (const char* library : {"libc10_cuda.so", "libtorch_cuda.so"})
      if (dlopen(library, RTLD_NOW | RTLD_GLOBAL) == nullptr) {
        const char* why = dlerror();
        throw UserError(ExitCode::usage, std::string("--device cuda: LibTorch's CUDA half cannot be loaded: ") +
                                             (why == nullptr ? library : why));
      }
    return true;
  }();
  static_cast<void>(loaded);
}

void ask_for_determinism() {
  auto& context = at::globalContext();
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  context.setDeterministicAlgorithms(true, /*warn_only=*/true);
  context.setDeterministicFillUninitializedMemory(false);  // a pass over memory that no number depends on
}

// A function of the driver, which LibTorch's CUDA half has loaded; null where it is not there.
template <typename Function>
Function* driver_function(const char* name) {
  static void* const driver = dlopen("libcuda.so.1", RTLD_LAZY);
  return driver == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(driver, name));
}

}  // namespace

c10::Device open_device(const std::string& name) {
  if (name == "cpu") {
    reuse_host_memory();
    return {c10::kCPU};
  }
  if (name != "cuda" && !name.starts_with("cuda:"))
    throw UserError(ExitCode::usage, "--device " + name + ": expected cpu, cuda or cuda:N");
  load_cuda();
  if (!at::hasCUDA() || at::detail::getCUDAHooks().deviceCount() == 0)
    throw UserError(ExitCode::usage, "--device " + name + ": no CUDA device here");
  try {
    const c10::Device device(name == "cuda" ? "cuda:0" : name);
    if (device.index() >= at::detail::getCUDAHooks().deviceCount())
      throw UserError(ExitCode::usage, "--device " + name + ": only " +
                                           std::to_string(at::detail::getCUDAHooks().deviceCount()) +
                                           " CUDA devices here");
    ask_for_determinism();
    return device;
  } catch (const c10::Error&) {
    throw UserError(ExitCode::usage, "--device " + name + ": expected cpu, cuda or cuda:N");
  }
}

std::string device_class(const c10::Device& device) { return device.is_cuda() ? "cuda" : "cpu"; }

std::string device_flags(const c10::Device& device) {
  if (!device.is_cuda()) return {};
  const auto& context = at::globalContext();
  std::string flags = context.deterministicCuDNN() ? "cudnn deterministic" : "cudnn not deterministic";
  flags += context.benchmarkCuDNN() ? ", cudnn benchmark" : ", no cudnn benchmark";
  flags += context.deterministicAlgorithms() ? ", deterministic algorithms" : ", any algorithms";
  flags += context.allowTF32CuDNN() ? ", tf32 convolutions" : ", fp32 convolutions";
  flags += context.allowTF32CuBLAS() ? ", tf32 matrix products" : ", fp32 matrix products";
  const char* workspace = std::getenv("CUBLAS_WORKSPACE_CONFIG");
  return flags + ", cublas workspace " + (workspace == nullptr ? "unset" : workspace);
}

std::string gpu_name(const c10::Device& device) {
  if (!device.is_cuda()) return {};
  // The driver's own interface, whose first functions have not changed since CUDA 2: no CUDA header is needed for a name.
  auto* const get_device = driver_function<int(int*, int)>("cuDeviceGet");
  auto* const get_name = driver_function<int(char*, int, int)>("cuDeviceGetName");
  auto* const get_version = driver_function<int(int*)>("cuDriverGetVersion");
  int handle = 0, version = 0;
  std::array<char, 256> name{};
  if (get_device == nullptr || get_name == nullptr || get_version == nullptr ||
      get_device(&handle, device.index()) != 0 ||
      get_name(name.data(), static_cast<int>(name.size()) - 1, handle) != 0 || get_version(&version) != 0)
    return "unknown card, CUDA device " + std::to_string(device.index());
  return std::string(name.data()) + " (driver for CUDA " + std::to_string(version / 1000) + "." +
         std::to_string(version % 1000 / 10) + ")";
}

std::string torch_version() { return TORCH_VERSION; }

void use_threads(int threads) {
  if (threads > 0) at::set_num_threads(threads);
}

int threads_used() { return at::get_num_threads(); }

void synchronize(const c10::Device& device) {
  // Reading a value from the device waits for what was queued before it on the same stream.
  if (device.is_cuda()) static_cast<void>(at::zeros({1}, at::TensorOptions(device)).item<float>());
}

}  // namespace auxbench
