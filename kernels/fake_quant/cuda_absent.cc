// cuda.h where the build found no nvcc.
#include "base/check.h"
#include "kernels/fake_quant/cuda.h"

namespace auxbench::fake_quant::cuda {

bool compiled() { return false; }

template <typename Formula, typename T>
void encode(const Formula&, std::span<const T>, const Pieces&, std::span<T>, std::span<T>, Stream) {
  AUXBENCH_CHECK(compiled(), "CUDA kernels in this build");
}

template <typename Formula, typename T>
void differentiate(const Formula&, std::span<const T>, std::span<const T>, const Pieces&, std::span<T>, std::span<T>,
                   Stream) {
  AUXBENCH_CHECK(compiled(), "CUDA kernels in this build");
}

template <typename T>
void measure(std::span<const T>, std::size_t, std::span<PieceMoments>, std::span<T>, Stream) {
  AUXBENCH_CHECK(compiled(), "CUDA kernels in this build");
}
template void measure<float>(std::span<const float>, std::size_t, std::span<PieceMoments>, std::span<float>, Stream);
template void measure<double>(std::span<const double>, std::size_t, std::span<PieceMoments>, std::span<double>, Stream);

#define AUXBENCH_LAST_ARGUMENT , Stream
#include "kernels/fake_quant/instantiate.inc"

}  // namespace auxbench::fake_quant::cuda
