// The loops in assembly, so that registers stay registers and nothing is left out or put together. No instruction set
// has to be switched on for the compiler; whoever calls asks runs_on() first.
//
// Sums are kept in so many registers that none waits for itself: more than latency times instructions a cycle.
#include <algorithm>
#include <chrono>

#include "runner/bench/peaks/peaks.h"

namespace auxbench::peaks {
namespace {

#define EIGHT(op, a, b, c, d, e, f, g, h) op(a) op(b) op(c) op(d) op(e) op(f) op(g) op(h)
#define FIRST_EIGHT(op) EIGHT(op, 0, 1, 2, 3, 4, 5, 6, 7)
#define SECOND_EIGHT(op) EIGHT(op, 8, 9, 10, 11, 12, 13, 14, 15)
#define THIRD_EIGHT(op) EIGHT(op, 16, 17, 18, 19, 20, 21, 22, 23)
#define CLOBBERED                                                                                                   \
  "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", \
      "xmm12", "xmm13", "xmm14", "xmm15"
// A compiler that may not use the upper sixteen need not be told of them, and does not know their names.
#ifdef __AVX512F__
#define CLOBBERED_32                                                                                            \
  CLOBBERED, "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", \
      "xmm27", "xmm28", "xmm29", "xmm30", "xmm31"
#else
#define CLOBBERED_32 CLOBBERED
#endif

// Operands that are neither 0 nor denormal.
constexpr float kHalf = 0.5F;
constexpr uint32_t kBits = 0x2d5a2d5aU;

#define CLEAR_YMM(i) "vxorps %%ymm" #i ", %%ymm" #i ", %%ymm" #i "\n"
#define CLEAR_ZMM(i) "vpxord %%zmm" #i ", %%zmm" #i ", %%zmm" #i "\n"

#define FMA_YMM(i) "vfmadd231ps %%ymm14, %%ymm15, %%ymm" #i "\n"
void fma_ymm(int64_t turns) {
  asm volatile(FIRST_EIGHT(CLEAR_YMM) EIGHT(CLEAR_YMM, 8, 9, 10, 11, 8, 9, 10, 11)
               "vbroadcastss %1, %%ymm14\nvbroadcastss %1, %%ymm15\n"
               "1:\n" FIRST_EIGHT(FMA_YMM) FMA_YMM(8) FMA_YMM(9) FMA_YMM(10) FMA_YMM(11) "dec %0\njnz 1b\nvzeroupper\n"
               : "+r"(turns)
               : "m"(kHalf)
               : CLOBBERED);
}

#define FMA_ZMM(i) "vfmadd231ps %%zmm30, %%zmm31, %%zmm" #i "\n"
void fma_zmm(int64_t turns) {
  asm volatile(FIRST_EIGHT(CLEAR_ZMM) SECOND_EIGHT(CLEAR_ZMM) THIRD_EIGHT(CLEAR_ZMM)
               "vbroadcastss %1, %%zmm30\nvbroadcastss %1, %%zmm31\n"
               "1:\n" FIRST_EIGHT(FMA_ZMM) SECOND_EIGHT(FMA_ZMM) THIRD_EIGHT(FMA_ZMM) "dec %0\njnz 1b\nvzeroupper\n"
               : "+r"(turns)
               : "m"(kHalf)
               : CLOBBERED_32);
}

#define DOT_ZMM(i) "vpdpbusd %%zmm30, %%zmm31, %%zmm" #i "\n"
void dot_zmm(int64_t turns) {
  asm volatile(FIRST_EIGHT(CLEAR_ZMM) SECOND_EIGHT(CLEAR_ZMM) THIRD_EIGHT(CLEAR_ZMM)
               "vpbroadcastd %1, %%zmm30\nvpbroadcastd %1, %%zmm31\n"
               "1:\n" FIRST_EIGHT(DOT_ZMM) SECOND_EIGHT(DOT_ZMM) THIRD_EIGHT(DOT_ZMM) "dec %0\njnz 1b\nvzeroupper\n"
               : "+r"(turns)
               : "m"(kBits)
               : CLOBBERED_32);
}

// Products in a register of their own, sums in six.
#define PAIR_YMM(i, product) \
  "vpmaddubsw %%ymm14, %%ymm15, %%ymm" #product "\nvpaddw %%ymm" #product ", %%ymm" #i ", %%ymm" #i "\n"
void pairs_ymm(int64_t turns) {
  asm volatile(
      "vpbroadcastd %1, %%ymm14\nvpbroadcastd %1, %%ymm15\n"
      "1:\n" PAIR_YMM(0, 6) PAIR_YMM(1, 7) PAIR_YMM(2, 8) PAIR_YMM(3, 9) PAIR_YMM(4, 10)
          PAIR_YMM(5, 11) "dec %0\njnz 1b\nvzeroupper\n"
      : "+r"(turns)
      : "m"(kBits)
      : CLOBBERED);
}

#define PAIR_ZMM(i, product) \
  "vpmaddubsw %%zmm30, %%zmm31, %%zmm" #product "\nvpaddw %%zmm" #product ", %%zmm" #i ", %%zmm" #i "\n"
#define COUNT_ZMM(i, product)                                                                                        \
  "vpandq %%zmm30, %%zmm31, %%zmm" #product "\nvpopcntq %%zmm" #product ", %%zmm" #product "\nvpaddq %%zmm" #product \
  ", %%zmm" #i ", %%zmm" #i "\n"
#define LOOKUP_ZMM(i, product) \
  "vpermb %%zmm30, %%zmm31, %%zmm" #product "\nvpaddb %%zmm" #product ", %%zmm" #i ", %%zmm" #i "\n"
#define EIGHT_PRODUCTS(op) op(0, 8) op(1, 9) op(2, 10) op(3, 11) op(4, 12) op(5, 13) op(6, 14) op(7, 15)
#define PRODUCT_LOOP(name, op)                                   \
  void name(int64_t turns) {                                     \
    asm volatile(                                                \
        "vpbroadcastd %1, %%zmm30\nvpbroadcastd %1, %%zmm31\n"   \
        "1:\n" EIGHT_PRODUCTS(op) "dec %0\njnz 1b\nvzeroupper\n" \
        : "+r"(turns)                                            \
        : "m"(kBits)                                             \
        : CLOBBERED_32);                                         \
  }
PRODUCT_LOOP(pairs_zmm, PAIR_ZMM)
PRODUCT_LOOP(count_zmm, COUNT_ZMM)
PRODUCT_LOOP(lookup_zmm, LOOKUP_ZMM)

// Four tiles of sums, two of rows, two of columns: 16 x 16 outputs by 64 products each.
void tiles(int64_t turns) {
  struct alignas(64) Configuration {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  };
  static const Configuration kConfiguration;
  static_assert(sizeof(Configuration) == 64);
  asm volatile(
      "ldtilecfg %1\n"
      "tilezero %%tmm0\ntilezero %%tmm1\ntilezero %%tmm2\ntilezero %%tmm3\n"
      "tilezero %%tmm4\ntilezero %%tmm5\ntilezero %%tmm6\ntilezero %%tmm7\n"
      "1:\n"
      "tdpbusd %%tmm6, %%tmm4, %%tmm0\ntdpbusd %%tmm7, %%tmm4, %%tmm1\n"
      "tdpbusd %%tmm6, %%tmm5, %%tmm2\ntdpbusd %%tmm7, %%tmm5, %%tmm3\n"
      "dec %0\njnz 1b\ntilerelease\n"
      : "+r"(turns)
      : "m"(kConfiguration)
      : "cc", "memory");
}

bool has_avx2(const Isa& isa) { return isa.avx2; }
bool has_avx512(const Isa& isa) { return isa.avx512; }
bool has_vnni(const Isa& isa) { return isa.vnni; }
bool has_popcount(const Isa& isa) { return isa.avx512 && isa.vpopcntdq; }
bool has_vbmi(const Isa& isa) { return isa.avx512 && isa.vbmi; }
bool has_amx(const Isa& isa) { return isa.amx_int8; }

constexpr Loop kLoops[] = {
    {"fp32-fma", "vfmadd231ps zmm", has_avx512, 24 * 16, fma_zmm},
    {"fp32-fma", "vfmadd231ps ymm", has_avx2, 12 * 8, fma_ymm},
    {"int8-dot", "vpdpbusd zmm", has_vnni, 24 * 64, dot_zmm},
    {"int8-tile", "tdpbusd", has_amx, 4 * 16 * 16 * 64, tiles},
    {"int16-pairs", "vpmaddubsw + vpaddw zmm", has_avx512, 8 * 64, pairs_zmm},
    {"int16-pairs", "vpmaddubsw + vpaddw ymm", has_avx2, 6 * 32, pairs_ymm},
    {"binary-popcount", "vpandq + vpopcntq + vpaddq zmm", has_popcount, 8 * 512, count_zmm},
    {"byte-lookup", "vpermb + vpaddb zmm", has_vbmi, 8 * 64 * 6, lookup_zmm},
};

#define OR_YMM(i) "vpor " #i "*32(%0), %%ymm" #i ", %%ymm" #i "\n"
#define OR_ZMM(i) "vporq " #i "*64(%0), %%zmm" #i ", %%zmm" #i "\n"

uint64_t read_plainly(const std::byte* from, const std::byte* end) {
  uint64_t all = 0;
  for (; from < end; from += sizeof all) all |= *reinterpret_cast<const uint64_t*>(from);
  return all;
}

}  // namespace

std::span<const Loop> loops() { return kLoops; }

uint64_t read_all(std::span<const std::byte> bytes, const Isa& isa) {
  constexpr size_t kStep = 512;
  const auto* from = bytes.data();
  const auto* end = from + bytes.size() / kStep * kStep;
  if (from == end) return 0;
  if (isa.avx512)
    asm volatile("1:\n" FIRST_EIGHT(OR_ZMM) "add $512, %0\ncmp %1, %0\njb 1b\nvzeroupper\n"
                 : "+r"(from)
                 : "r"(end)
                 : CLOBBERED_32);
  else if (isa.avx2)
    asm volatile("1:\n" FIRST_EIGHT(OR_YMM) "add $256, %0\ncmp %1, %0\njb 1b\nvzeroupper\n"
                 : "+r"(from)
                 : "r"(end)
                 : CLOBBERED);
  else
    return read_plainly(from, end);
  return 0;
}

// By multiplications: newer processors fold chains of additions away.
double clock_hz() {
  constexpr int64_t kTurns = 100000, kEach = 16, kLatency = 3;
  double best = 0;
  for (int attempt = 0; attempt < 5; ++attempt) {
    int64_t turns = kTurns;
    uint64_t product = 3;
    const auto begin = std::chrono::steady_clock::now();
    asm volatile(
        "1:\n.rept 16\nimul %2, %1\n.endr\n"
        "dec %0\njnz 1b\n"
        : "+r"(turns), "+r"(product)
        : "r"(uint64_t{5})
        : "cc");
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    best = std::max(best, static_cast<double>(kTurns * kEach * kLatency) / taken.count());
  }
  return best;
}

}  // namespace auxbench::peaks
