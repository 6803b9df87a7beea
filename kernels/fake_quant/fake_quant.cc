// The vectorised path: plain loops, compiled once per instruction set and chosen at load time by the compiler's
// function multiversioning. -fno-math-errno and -fno-trapping-math (meson.build) let nearbyint become one instruction.
#include "kernels/fake_quant/fake_quant.h"

#include "base/check.h"

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define AUXBENCH_MULTIVERSION __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define AUXBENCH_MULTIVERSION
#endif

namespace auxbench::fake_quant {
namespace {

// Templates cannot be multiversioned, functions can.
#define AUXBENCH_UNARY(Formula, T)                                                         \
  AUXBENCH_MULTIVERSION void run(const Formula<T> formula, const T* x, size_t n, T* out) { \
    for (size_t i = 0; i < n; ++i) out[i] = formula(x[i]);                                 \
  }
#define AUXBENCH_BINARY(Formula, T)                                                                           \
  AUXBENCH_MULTIVERSION void run(const Formula<T> formula, const T* x, const T* gradient, size_t n, T* out) { \
    for (size_t i = 0; i < n; ++i) out[i] = formula(x[i], gradient[i]);                                       \
  }
#define AUXBENCH_BOTH_UNARY(Formula) AUXBENCH_UNARY(Formula, float) AUXBENCH_UNARY(Formula, double)
#define AUXBENCH_BOTH_BINARY(Formula) AUXBENCH_BINARY(Formula, float) AUXBENCH_BINARY(Formula, double)
AUXBENCH_FORMULAS(AUXBENCH_BOTH_UNARY, AUXBENCH_BOTH_BINARY)

}  // namespace

template <typename Formula, typename T>
void map(const Formula& formula, std::span<const T> x, std::span<T> out) {
  AUXBENCH_CHECK(x.size() == out.size(), "as many outputs as inputs");
  run(formula, x.data(), x.size(), out.data());
}

template <typename Formula, typename T>
void map(const Formula& formula, std::span<const T> x, std::span<const T> gradient, std::span<T> out) {
  AUXBENCH_CHECK(x.size() == out.size() && x.size() == gradient.size(), "as many gradients and outputs as inputs");
  run(formula, x.data(), gradient.data(), x.size(), out.data());
}

#include "kernels/fake_quant/instantiate.inc"

}  // namespace auxbench::fake_quant
