#include <cstring>

#include "kernels/requantize/paths.h"

namespace auxbench::requantize {
namespace {

Paths paths_for([[maybe_unused]] const Isa& isa) {
#if defined(__x86_64__)
  if (isa.avx512) return avx512_paths();
  if (isa.avx2) return avx2_paths();
#endif
  return {apply_reference, apply_rows_reference};
}

}  // namespace

Apply apply_for(const Isa& isa) { return paths_for(isa).apply; }

ApplyRows apply_rows_for(const Isa& isa) { return paths_for(isa).apply_rows; }

void keep_sums(const Epilogue& epilogue, const Tile& tile) {
  for (int64_t p = 0; p < tile.pixels; ++p)
    std::memcpy(epilogue.out.at(tile.image, tile.y, tile.x + p) + tile.channel, tile.acc + p * tile.stride,
                static_cast<size_t>(tile.channels) * sizeof(int32_t));
}

}  // namespace auxbench::requantize
