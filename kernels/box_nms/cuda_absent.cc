// cuda.h where the build found no nvcc.
#include "base/check.h"
#include "kernels/box_nms/cuda.h"

namespace auxbench::box_nms::cuda {

bool compiled() { return false; }

size_t workspace_bytes(size_t) { return 0; }

void nms(const Boxes&, float, std::span<std::byte>, std::span<uint32_t>, std::span<uint32_t>, Stream) {
  AUXBENCH_CHECK(compiled(), "CUDA kernels in this build");
}

}  // namespace auxbench::box_nms::cuda
