// Direct convolution with AVX-512 VNNI (vpdpbusd): implicit GEMM on the input as it lies and int8 weights.
//
// Register block: 6 pixels x 64 output channels = 24 accumulators, four registers of weights, one word of the input
// broadcast at a time: 10 loads for 24 vpdpbusd, and few enough pointers for the general registers.
//
// On Zen 4 the store of a whole vector costs about as much as two vpdpbusd, whatever stands around it: 16 stores after
// the 256 products of 4 pixels of a 1 x 1 layer of 64 channels take 12 % of its time, and the sink loads them again. So
// where the codes are all that is wanted of the sums and are cheap to make, they are made in registers
// (kernels/requantize/in_registers.h) and stored 64 at a time. Short reductions then take 3 pixels, else 4: the work at
// the end of one group is small enough to be done beside the products of the next.
//
// What bounds it: vpdpbusd, one 512-bit instruction a cycle on Zen 4, 4 times the products of its fp32 FMA. Of that
// ceiling, products with the border not counted, 3 x 3 layers reach 96 to 99 % with 4-bit codes, 95 to 98 % with 8-bit
// ones; 1 x 1 of 64 channels 86 and 77 %: for each 64 products it has a conversion, a multiplication or three, another
// conversion and a quarter of a store to make. The stem 7 x 7 / 2 of 3 channels reaches 80 %: of its words 147 of 148
// bytes count, but gathering them takes an eighth of the time.
#include <utility>

#include "kernels/lowbit_conv/direct.h"
#include "kernels/requantize/avx512.h"
#include "kernels/requantize/in_registers.h"

namespace auxbench::lowbit_conv {
namespace {

using direct::Finish;
using direct::kStripPixels;
using direct::kWord;
using direct::Pixel;
using direct::Run;
using requantize::Avx512;

constexpr size_t kBlocks = 4;          // of 16 channels
constexpr size_t kPixels = 8;          // with fewer than 4 blocks
constexpr int64_t kPixels4 = 6;        // with 4
constexpr int64_t kPixelsShort = 4;    // with 4 and at most kShortWords words, whose weights L1 holds
constexpr int64_t kPixelsToCodes = 3;  // and whose sums become codes in registers
constexpr int64_t kShortWords = 64;
constexpr int64_t kUnit = kBlocks * kBlock;

__m512i load(const void* from) { return _mm512_loadu_si512(from); }

__m512i broadcast_word(const uint8_t* from) {
  int32_t word;
  std::memcpy(&word, from, sizeof word);
  return _mm512_set1_epi32(word);
}

// Adds a run for pixels First .. Last.
template <size_t First, size_t Last, size_t P, size_t B>
[[gnu::always_inline]] inline void add(const Run& run, const uint8_t* const (&at)[P], const std::byte* weights,
                                       __m512i (&acc)[P][B]) {
  if constexpr (First >= Last) return;
  int64_t byte = run.at;
  const int64_t end = byte + run.bytes;
  do {
    __m512i w[B];
#pragma GCC unroll 4
    for (size_t b = 0; b < B; ++b) w[b] = load(weights + 64 * b);
    weights += 64 * B;
#pragma GCC unroll 8
    for (size_t p = First; p < Last; ++p) {
      const __m512i codes = broadcast_word(at[p] + byte);
#pragma GCC unroll 4
      for (size_t b = 0; b < B; ++b) acc[p][b] = _mm512_dpbusd_epi32(acc[p][b], codes, w[b]);
    }
    byte += kWord;
  } while (byte != end);
}

// acc: dots and corrections of P pixels and 16 B channels from `channel` on. Few variables beside the pointers: GCC
// spills what does not fit in general registers to vector registers, and with less of that 1 x 1 layers ran 4 % faster.
template <size_t B, size_t P>
[[gnu::always_inline]] inline void sum_up(const Run* run, const Run* end, const Pixel* pixels, const std::byte* weights,
                                          int64_t channel, __m512i (&acc)[P][B]) {
  const uint8_t* at[P];
#pragma GCC unroll 8
  for (size_t p = 0; p < P; ++p) {
    at[p] = pixels[p].at;
#pragma GCC unroll 4
    for (size_t b = 0; b < B; ++b) acc[p][b] = load(pixels[p].correction + channel + 16 * b);
  }
  for (; run != end; ++run) {
    const auto* from = weights + run->word * static_cast<int64_t>(64 * B);
    if (run->of == Run::Of::all)
      add<0, P>(*run, at, from, acc);
    else if (run->of == Run::Of::all_but_first)
      add<1, P>(*run, at, from, acc);
    else
      add<0, P - 1>(*run, at, from, acc);
  }
}

// Sums into tile[P][kUnit]. Inlined into its caller it would not keep its accumulators in registers: half the speed.
template <size_t B, size_t P>
[[gnu::noinline]] void group(const Run* run, const Run* end, const Pixel* pixels, const std::byte* weights,
                             int64_t channel, int32_t* tile) {
  __m512i acc[P][B];
  sum_up(run, end, pixels, weights, channel, acc);
#pragma GCC unroll 8
  for (size_t p = 0; p < P; ++p)
#pragma GCC unroll 4
    for (size_t b = 0; b < B; ++b) _mm512_store_si512(tile + static_cast<int64_t>(p) * kUnit + 16 * b, acc[p][b]);
}

// Sums of a line of channels straight to their codes.
template <typename Maker, size_t P>
[[gnu::noinline]] void group_of_codes(const Run* run, const Run* end, const Pixel* pixels, const std::byte* weights,
                                      int64_t channel, const requantize::Epilogue& epilogue) {
  __m512i acc[P][kBlocks], lines[P];
  sum_up(run, end, pixels, weights, channel, acc);
  requantize::leave_loop<Avx512, P>(acc);
  Maker(epilogue).template make<P>(acc, channel, lines);
#pragma GCC unroll 8
  for (size_t p = 0; p < P; ++p) Avx512::store(pixels[p].codes + channel, lines[p]);
}

using Group = void (*)(const Run*, const Run*, const Pixel*, const std::byte*, int64_t, int32_t*);
using GroupOfCodes = void (*)(const Run*, const Run*, const Pixel*, const std::byte*, int64_t,
                              const requantize::Epilogue&);

struct Groups {
  Group of[kPixels];  // pixels less 1
};

template <size_t B, size_t... P>
constexpr Groups groups(std::index_sequence<P...>) {
  return {{group<B, P + 1>...}};
}

// By blocks less 1.
constexpr Groups kGroups[kBlocks] = {
    groups<1>(std::make_index_sequence<kPixels>()), groups<2>(std::make_index_sequence<kPixels>()),
    groups<3>(std::make_index_sequence<kPixels>()), groups<4>(std::make_index_sequence<kPixels4>())};

struct GroupsOfCodes {
  GroupOfCodes of[kPixels4];
};

template <typename Maker, size_t... P>
constexpr GroupsOfCodes groups_of_codes(std::index_sequence<P...>) {
  return {{group_of_codes<Maker, P + 1>...}};
}

using Ramp = requantize::RampLine<Avx512>;
using Chain = requantize::ChainLine<Avx512>;
constexpr GroupsOfCodes kRamp = groups_of_codes<Ramp>(std::make_index_sequence<kPixels4>());
constexpr GroupsOfCodes kChain = groups_of_codes<Chain>(std::make_index_sequence<kPixels4>());

// Null where sums go to the sink.
const GroupsOfCodes* groups_of_codes_for(const Arguments& arguments, const Finish& finish) {
  if (!finish.plain() || arguments.sink != requantize::avx512_paths().apply) return nullptr;
  if (Ramp::can(*arguments.epilogue)) return &kRamp;
  return Chain::can(*arguments.epilogue) ? &kChain : nullptr;
}

Multiplied multiplied(const Problem& p) { return {.values = p.weight_bits != 8}; }

void run(const Problem& p, int, int64_t first, int64_t last, const Arguments& arguments, const Packed& packed) {
  const direct::Cut cut(p, kUnit);
  const Finish finish(p, multiplied(p));
  const auto* pixels = reinterpret_cast<const Pixel*>(arguments.own);
  auto* sums = reinterpret_cast<int32_t*>(arguments.own + direct::Workspace(p, cut).sums);
  alignas(64) int32_t tile[kStripPixels * kUnit];
  const auto* to_codes = groups_of_codes_for(arguments, finish);
  const int64_t shortly = to_codes == nullptr ? kPixelsShort : kPixelsToCodes;
  const int64_t most = direct::words(p) > kShortWords ? kPixels4 : shortly;
  const int64_t channel_bytes = direct::words(p) * kWord;
  const auto blocks = [&](int64_t channel) { return direct::unit_channels(p, kUnit, channel) / kBlock; };
  const auto is_line = [&](int64_t channel) {
    const auto& epilogue = *arguments.epilogue;
    return to_codes != nullptr && p.out - channel >= kUnit &&
           (epilogue.slope == nullptr || requantize::line_climbs(epilogue, channel));
  };
  for (int64_t index = first; index < last; ++index) {
    const direct::Task task(p, cut, index);
    const auto all = direct::prepare(p, cut, task, arguments, packed);
    if (finish.row_factor != 0) direct::add_codes(p, all, pixels, task.pixels, sums);
    direct::for_groups(
        p, cut, task, arguments, all,
        [&](int64_t channel) { return blocks(channel) == kBlocks ? most : static_cast<int64_t>(kPixels); },
        [&](int64_t pixel, int64_t size, int64_t channel, const Run* runs, const Run* end, int64_t before) {
          const auto* weights = packed.body + channel * channel_bytes;
          if (is_line(channel))
            to_codes->of[size - 1](runs, end, pixels + pixel, weights, channel, *arguments.epilogue);
          else
            kGroups[blocks(channel) - 1].of[size - 1](runs, end, pixels + pixel, weights, channel,
                                                      tile + before * kUnit);
        },
        [&](int64_t pixel, int64_t count, int64_t channel) {
          if (!is_line(channel)) direct::finish_strip(p, cut, task, arguments, finish, pixel, count, channel, tile);
        });
  }
}

// Zen 4 at 3.7 GHz, a sink of a few thresholds included.
double cost(const Problem& p) {
  const auto vectors = static_cast<double>(p.n * p.out_h() * p.out_w() * direct::ceil_div(p.out, kBlock));
  const double rest = Finish(p, multiplied(p)).plain() ? 2.5 : 4.5;
  return vectors * (0.272 * direct::share(p) * static_cast<double>(direct::words(p)) + rest);
}

}  // namespace

extern const Kernel vnni_kernel;
const Kernel vnni_kernel = {
    .name = "vnni-direct",
    .idea = "8-bit dot products of the input as it lies",
    .runs_on = [](const Isa& isa) { return isa.vnni; },
    .supports = [](const Problem&) { return true; },
    .cost = cost,
    .multiplied = multiplied,
    .body_bytes = direct::body_bytes,
    .pack = [](const Problem& p, const int8_t* codes,
               std::byte* body) { direct::pack(p, kUnit, codes, body, [](int code) { return code; }); },
    .shared_bytes = [](const Problem&) { return size_t{0}; },
    .own_bytes =
        [](const Problem& p) { return static_cast<size_t>(direct::Workspace(p, direct::Cut(p, kUnit)).bytes); },
    .phases = [](const Problem&) { return 1; },
    .tasks = [](const Problem& p, int) { return direct::Cut(p, kUnit).tasks(p); },
    .run = run,
};

}  // namespace auxbench::lowbit_conv
