// Plain loops that any processor runs: a row of pixels, a block of channels at a time.
#include "kernels/lowbit_conv/kernel.h"

namespace auxbench::lowbit_conv {
namespace {

// Body: [out / kBlock][taps][kBlock] int8, channels beyond the last zero.
size_t body_bytes(const Problem& p) { return static_cast<size_t>(round_up(p.out, kBlock) * p.taps()); }

void pack(const Problem& p, const int8_t* codes, std::byte* body) {
  auto* packed = reinterpret_cast<int8_t*>(body);
  for (int64_t o = 0; o < p.out; ++o)
    for (int64_t t = 0; t < p.taps(); ++t)
      packed[(o / kBlock * p.taps() + t) * kBlock + o % kBlock] = codes[o * p.taps() + t];
}

void run(const Problem& p, int, int64_t first, int64_t last, const Arguments& arguments, const Packed& packed) {
  const Multiplied multiplied = {.values = p.weight_bits != 8};
  const int32_t dot_factor = multiplied.dot_factor(p), row_factor = multiplied.row_factor(p);
  const int64_t padded = round_up(p.out, kBlock);
  for (int64_t row = first; row < last; ++row) {
    const int64_t n = row / p.out_h(), y = row % p.out_h();
    for (int64_t x = 0; x < p.out_w(); ++x)
      for (int64_t o = 0; o < padded; o += kBlock) {
        int32_t acc[kBlock] = {}, codes = 0;
        const auto* weights = reinterpret_cast<const int8_t*>(packed.body) + o * p.taps();
        for (int64_t r = 0; r < p.r; ++r)
          for (int64_t s = 0; s < p.s; ++s) {
            const auto* in = arguments.in.at(n, y * p.stride + r - p.pad, x * p.stride + s - p.pad);
            for (int64_t c = 0; c < p.c; ++c, weights += kBlock) {
              codes += in[c];
              for (int64_t i = 0; i < kBlock; ++i) acc[i] += in[c] * weights[i];
            }
          }
        const auto* correction = packed.correction(y, x, padded) + o;
        for (int64_t i = 0; i < kBlock; ++i) acc[i] = dot_factor * acc[i] + row_factor * codes + correction[i];
        arguments.sink(*arguments.epilogue, {.acc = acc,
                                             .stride = kBlock,
                                             .image = n,
                                             .y = y,
                                             .x = x,
                                             .pixels = 1,
                                             .channel = o,
                                             .channels = std::min(kBlock, p.out - o)});
      }
  }
}

}  // namespace

extern const Kernel generic_kernel;
const Kernel generic_kernel = {
    .name = "generic",
    .idea = "plain loops",
    .runs_on = [](const Isa&) { return true; },
    .supports = [](const Problem&) { return true; },
    .cost = [](const Problem& p) { return static_cast<double>(p.macs()) / 2; },
    .multiplied = [](const Problem& p) { return Multiplied{.values = p.weight_bits != 8}; },
    .body_bytes = body_bytes,
    .pack = pack,
    .shared_bytes = [](const Problem&) { return size_t{0}; },
    .own_bytes = [](const Problem&) { return size_t{0}; },
    .phases = [](const Problem&) { return 1; },
    .tasks = [](const Problem& p, int) { return p.n * p.out_h(); },
    .run = run,
};

}  // namespace auxbench::lowbit_conv
