#include "runner/training/device.h"

#include <dlfcn.h>
#include <torch/version.h>

#include <fstream>

#include "base/error.h"
#include "base/torch_prelude.h"

namespace auxbench {
namespace {

void load_cuda() {
  static const bool loaded = [] {
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

}  // namespace

c10::Device open_device(const std::string& name) {
  if (name == "cpu") return {c10::kCPU};
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
    return device;
  } catch (const c10::Error&) {
    throw UserError(ExitCode::usage, "--device " + name + ": expected cpu, cuda or cuda:N");
  }
}

std::string device_class(const c10::Device& device) { return device.is_cuda() ? "cuda" : "cpu"; }

std::string gpu_name(const c10::Device& device) {
  if (!device.is_cuda()) return {};
  // NVIDIA's driver names its cards here, so that no CUDA header is needed for a name.
  std::ifstream listing("/proc/driver/nvidia/version");
  std::string line;
  std::getline(listing, line);
  return "CUDA device " + std::to_string(device.index()) + (line.empty() ? "" : " (" + line + ")");
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
