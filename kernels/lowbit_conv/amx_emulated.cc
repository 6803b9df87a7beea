// The convolution of amx_kernel.h on eight tiles in software, so that tests run its code on any processor. It obeys the
// processor's rules, and stops where that would raise an exception.
#include <cstring>

#include "base/check.h"
#include "kernels/lowbit_conv/amx_kernel.h"

namespace auxbench::lowbit_conv {
namespace {

struct SoftwareTiles {
  struct State {
    TileConfig config = {.palette = 0};  // 0: tiles are not in use
    uint8_t bytes[8][kTileRows][kStepBytes] = {};
  };
  static State& state() {
    thread_local State of_thread;
    return of_thread;
  }

  static void configure(const TileConfig& config) {
    AUXBENCH_CHECK(config.palette == 1 && config.start_row == 0, "a palette that processors have");
    for (const auto byte : config.reserved) AUXBENCH_CHECK(byte == 0, "reserved bytes of a tile configuration are 0");
    for (int tile = 0; tile < 16; ++tile) {
      const int rows = config.rows[tile], bytes = config.row_bytes[tile];
      AUXBENCH_CHECK(tile < 8 || (rows == 0 && bytes == 0), "8 tiles");
      AUXBENCH_CHECK(rows <= kTileRows && bytes <= kStepBytes && (rows == 0) == (bytes == 0), "tiles of 16 x 64 bytes");
    }
    state() = {.config = config};
  }
  static void release() { state() = {}; }

  template <int tile>
  static void load(const void* from, int64_t stride) {
    auto& now = state();
    AUXBENCH_CHECK(now.config.rows[tile] != 0, "a configured tile");
    std::memset(now.bytes[tile], 0, sizeof now.bytes[tile]);
    for (int64_t row = 0; row < now.config.rows[tile]; ++row)
      std::memcpy(now.bytes[tile][row], static_cast<const uint8_t*>(from) + row * stride, now.config.row_bytes[tile]);
  }

  template <int tile>
  static void store(void* to, int64_t stride) {
    const auto& now = state();
    AUXBENCH_CHECK(now.config.rows[tile] != 0, "a configured tile");
    for (int64_t row = 0; row < now.config.rows[tile]; ++row)
      std::memcpy(static_cast<uint8_t*>(to) + row * stride, now.bytes[tile][row], now.config.row_bytes[tile]);
  }

  template <int sums, int codes, int weights>
  static void dot() {
    auto& now = state();
    const auto& config = now.config;
    AUXBENCH_CHECK(config.rows[sums] != 0 && config.rows[sums] == config.rows[codes] &&
                       config.row_bytes[sums] == config.row_bytes[weights] &&
                       config.row_bytes[codes] == 4 * config.rows[weights] && config.row_bytes[sums] % 4 == 0,
                   "tiles that fit each other");
    for (int64_t row = 0; row < config.rows[sums]; ++row) {
      uint32_t acc[kTileOutputs];  // sums wrap
      std::memcpy(acc, now.bytes[sums][row], sizeof acc);
      for (int64_t group = 0; group < config.rows[weights]; ++group)
        for (int64_t i = 0; i < config.row_bytes[sums] / 4; ++i)
          for (int64_t k = 0; k < 4; ++k) {
            const int code = now.bytes[codes][row][group * 4 + k];
            acc[i] += static_cast<uint32_t>(code * static_cast<int8_t>(now.bytes[weights][group][i * 4 + k]));
          }
      std::memcpy(now.bytes[sums][row], acc, sizeof acc);
    }
  }
};

bool runs_on(const Isa&) { return true; }

}  // namespace

extern const Kernel amx_emulated_kernel;
const Kernel amx_emulated_kernel = tile_kernel<SoftwareTiles>("amx-emulated", "amx-int8 on tiles in software", runs_on);

}  // namespace auxbench::lowbit_conv
