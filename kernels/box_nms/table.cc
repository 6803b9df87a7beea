// Every kernel there is, the best first. A new one is its file, with the flags of its instruction set in meson.build,
// and two lines here; nms(), tests and benchmark follow.
#include "kernels/box_nms/kernel.h"

namespace auxbench::box_nms {

extern const Kernel generic_kernel;
#if defined(__x86_64__)
extern const Kernel avx2_kernel, avx512_kernel;
#endif

std::span<const Kernel* const> all_kernels() {
  static const Kernel* const kernels[] = {
#if defined(__x86_64__)
    &avx512_kernel,
    &avx2_kernel,
#endif
    &generic_kernel,
  };
  return kernels;
}

}  // namespace auxbench::box_nms
