// The convolution of amx_kernel.h on the processor's tiles.
//
// The instructions are written out: g++ 12's intrinsics tell the compiler of 8 of the 64 bytes that ldtilecfg reads and
// of nothing that tileloadd reads, so that stores into the configuration and into what is loaded next are deleted or
// moved behind it.
#include "kernels/lowbit_conv/amx_kernel.h"

namespace auxbench::lowbit_conv {
namespace {

struct ProcessorTiles {
  static void configure(const TileConfig& config) { asm volatile("ldtilecfg %0" : : "m"(config)); }
  static void release() { asm volatile("tilerelease"); }

  template <int tile>
  static void load(const void* from, int64_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(tile) : "memory");
  }
  template <int tile>
  static void store(void* to, int64_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(tile) : "memory");
  }
  // sums += unsigned bytes of `codes` x signed bytes of `weights`
  template <int sums, int codes, int weights>
  static void dot() {
    asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sums), "i"(codes), "i"(weights));
  }
};

bool runs_on(const Isa& isa) { return isa.amx_int8; }

}  // namespace

extern const Kernel amx_kernel;
const Kernel amx_kernel =
    tile_kernel<ProcessorTiles>("amx-int8", "matrix tiles on codes as they lie in the map", runs_on);

}  // namespace auxbench::lowbit_conv
