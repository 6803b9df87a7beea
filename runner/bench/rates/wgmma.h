// The PTX of warpgroup matrix instructions of one size, 64 x 256 x 32 bytes. For .cu files only; sm_90a alone has them,
// elsewhere the bodies are empty and must not be run.
//
// Operands in shared memory lie in K-major core matrices without swizzle. A core matrix is 8 rows of 16 bytes, 128
// bytes in one run. A tile of R rows by 32 bytes is R / 8 pairs of core matrices:
//
//   byte of (row, byte of row) = row / 8 * 256 + byte / 16 * 128 + row % 8 * 16 + byte % 16
//
//   leading byte offset 128   from a core matrix to its neighbour along K
//   stride byte offset  256   from a core matrix to its neighbour along M or N
//
// so that a tile is one run of R * 32 bytes and no core matrix meets a bank twice. A descriptor holds, in units of 16
// bytes, the address in bits 0..13, the leading offset in 16..29, the stride offset in 32..45; swizzle mode 0
// in 62..63.
#pragma once

#include <cstdint>

#include "runner/bench/rates/operands.h"

namespace auxbench::rates::wgmma {

constexpr int kM = 64, kN = 256;
constexpr int kTileBytesA = kM * kRowBytes, kTileBytesB = kN * kRowBytes;
constexpr int kAccumulators = kM * kN / 128;  // registers of each of the 128 threads

// Where a row-major tile's piece of 16 bytes, two a row, lies in shared memory, in pieces. Tiles may follow each other.
__host__ __device__ constexpr int core_matrix_piece(int piece) {
  return piece / 16 * 16 + piece % 2 * 8 + piece / 2 % 8;
}

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define AUXBENCH_WGMMA_ASM(...) asm volatile(__VA_ARGS__)
#else
#define AUXBENCH_WGMMA_ASM(...)
#endif

__device__ inline uint64_t descriptor(const void* tile) {
  constexpr uint64_t kLeadingBytes = 128, kStrideBytes = 256;
  const auto address = static_cast<uint64_t>(__cvta_generic_to_shared(tile));
  return (address & 0x3ffff) >> 4 | kLeadingBytes >> 4 << 16 | kStrideBytes >> 4 << 32;
}

// The descriptor of the tile that lies `bytes` behind.
__device__ constexpr uint64_t advance(uint64_t descriptor, int bytes) {
  return descriptor + (static_cast<uint64_t>(bytes) >> 4);
}

// What this thread has stored into shared memory becomes visible to matrix instructions after the next barrier.
__device__ inline void publish_shared() { AUXBENCH_WGMMA_ASM("fence.proxy.async.shared::cta;" ::: "memory"); }
// Registers written so far may be read by the matrix instructions that follow.
__device__ inline void begin() { AUXBENCH_WGMMA_ASM("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ inline void commit() { AUXBENCH_WGMMA_ASM("wgmma.commit_group.sync.aligned;" ::: "memory"); }
// Waits until at most kPending groups are in flight.
template <int kPending>
__device__ void wait() {
  AUXBENCH_WGMMA_ASM("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}
// The compiler may not read the register before this point, nor move its last write behind it.
__device__ inline void pin(int32_t& accumulator) { AUXBENCH_WGMMA_ASM("" : "+r"(accumulator)::"memory"); }
__device__ inline void pin(float& accumulator) { AUXBENCH_WGMMA_ASM("" : "+f"(accumulator)::"memory"); }

#define AUXBENCH_8(constraint, i)                                                                           \
  constraint(d[i]), constraint(d[i + 1]), constraint(d[i + 2]), constraint(d[i + 3]), constraint(d[i + 4]), \
      constraint(d[i + 5]), constraint(d[i + 6]), constraint(d[i + 7])
#define AUXBENCH_32(constraint, i)                                                          \
  AUXBENCH_8(constraint, i), AUXBENCH_8(constraint, i + 8), AUXBENCH_8(constraint, i + 16), \
      AUXBENCH_8(constraint, i + 24)
#define AUXBENCH_128(constraint) \
  AUXBENCH_32(constraint, 0), AUXBENCH_32(constraint, 32), AUXBENCH_32(constraint, 64), AUXBENCH_32(constraint, 96)
#define AUXBENCH_REGISTERS                                                                                       \
  "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,"  \
  "%29,%30,%31,%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55," \
  "%56,%57,%58,%59,%60,%61,%62,%63,%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79,%80,%81,%82," \
  "%83,%84,%85,%86,%87,%88,%89,%90,%91,%92,%93,%94,%95,%96,%97,%98,%99,%100,%101,%102,%103,%104,%105,%106,%107," \
  "%108,%109,%110,%111,%112,%113,%114,%115,%116,%117,%118,%119,%120,%121,%122,%123,%124,%125,%126,%127}"

// Two functions a kind: D += A B with A in shared memory, and with A in registers. B is always in shared memory.
// shared_tail, registers_tail: the immediates behind the predicate that adds to D; integers have none.
#define AUXBENCH_KIND(Kind, element_a, element_b, Register, constraint, shape, types, shared_tail, registers_tail) \
  struct Kind {                                                                                                    \
    using Accumulator = Register;                                                                                  \
    static constexpr Element kA = Element::element_a, kB = Element::element_b;                                     \
    static constexpr const char* kName = "wgmma " shape " " types;                                                 \
    __device__ static void multiply(Accumulator (&d)[kAccumulators], uint64_t a, uint64_t b) {                     \
      AUXBENCH_WGMMA_ASM("{.reg .pred p; setp.eq.b32 p, 0, 0; wgmma.mma_async.sync.aligned." shape                 \
                         "." types AUXBENCH_REGISTERS ", %128, %129, p" shared_tail ";}"                           \
                         : AUXBENCH_128(constraint)                                                                \
                         : "l"(a), "l"(b));                                                                        \
    }                                                                                                              \
    __device__ static void multiply(Accumulator (&d)[kAccumulators], const uint32_t (&a)[4], uint64_t b) {         \
      AUXBENCH_WGMMA_ASM("{.reg .pred p; setp.eq.b32 p, 0, 0; wgmma.mma_async.sync.aligned." shape                 \
                         "." types AUXBENCH_REGISTERS ", {%128, %129, %130, %131}, %132, p" registers_tail ";}"    \
                         : AUXBENCH_128(constraint)                                                                \
                         : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));                                    \
    }                                                                                                              \
  };

AUXBENCH_KIND(Bit, b1, b1, int32_t, "+r", "m64n256k256", "s32.b1.b1.and.popc", "", "")
AUXBENCH_KIND(SignedByte, s8, s8, int32_t, "+r", "m64n256k32", "s32.s8.s8", "", "")
AUXBENCH_KIND(MixedByte, u8, s8, int32_t, "+r", "m64n256k32", "s32.u8.s8", "", "")
AUXBENCH_KIND(Float8, e4m3, e4m3, float, "+f", "m64n256k32", "f32.e4m3.e4m3", ", 1, 1", ", 1, 1")
AUXBENCH_KIND(Bfloat16, bf16, bf16, float, "+f", "m64n256k16", "f32.bf16.bf16", ", 1, 1, 0, 0", ", 1, 1, 0")

#undef AUXBENCH_KIND
#undef AUXBENCH_REGISTERS
#undef AUXBENCH_128
#undef AUXBENCH_32
#undef AUXBENCH_8
#undef AUXBENCH_WGMMA_ASM

}  // namespace auxbench::rates::wgmma
