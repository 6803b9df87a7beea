// Every kernel there is. A new one is its translation unit, with the flags of its instruction set in meson.build, and
// two lines here; plans, tests and benchmarks follow.
#include "kernels/lowbit_conv/kernel.h"

namespace auxbench::lowbit_conv {

extern const Kernel generic_kernel;
#if defined(__x86_64__)
extern const Kernel avx2_kernel, vnni_kernel, bit_serial_kernel, lookup_kernel, winograd_kernel, amx_kernel;
#endif

std::span<const Kernel* const> all_kernels() {
  static const Kernel* const kernels[] = {
#if defined(__x86_64__)
    &amx_kernel,
    &winograd_kernel,
    &vnni_kernel,
    &bit_serial_kernel,
    &lookup_kernel,
    &avx2_kernel,
#endif
    &generic_kernel,
  };
  return kernels;
}

}  // namespace auxbench::lowbit_conv
