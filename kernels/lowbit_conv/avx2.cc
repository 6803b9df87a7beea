// Direct convolution with AVX2 (vpmaddubsw): implicit GEMM on the input as it lies and int8 weights.
//
// vpmaddubsw multiplies unsigned by signed bytes and adds neighbours in 16 bits, saturating. How far sums fit in there
// follows from the codes' largest products, and decides how they are added up, always exactly:
//
//   in 16 bits     where at least 4 words fit (weights of up to 4 bits with any activation): vpmaddubsw, vpaddw; after
//                  as many words as fit vpmaddwd with ones widens the sums onto the tile. 72 words for 4 x 4 bits on
//                  the odd grid, 4 for 4 x 8.
//   in 32 bits     where 1 to 3 fit (8-bit weights, activations of 6 or 7 bits): vpmaddubsw, vpmaddwd, vpaddd.
//   halves         where none does (8 x 8 bits): w = 16 high + low, both in -8 .. 8, twice the first way.
//
// Register block: 6 pixels x 16 channels = 12 accumulators, two registers of weights, a broadcast word, a product: all
// 16. Zen 4 runs 1.6 pairs of vpmaddubsw and vpaddw a cycle, 3.2 times the products of its AVX2 fp32 FMA. Over that
// FMA's ceiling, with the sink: 3 x 3 layers 2.9 to 3.6 with up to 4 bits (2.3 to 2.7 with 4 x 8, 1.7 to 2.1 with 8 x
// 6, 1.3 to 1.5 with 8 x 8), the stem 2.1, 1 x 1 of 64 channels 1.7: there the sink takes a third of the time.
#include <immintrin.h>

#include <utility>

#include "kernels/lowbit_conv/direct.h"

namespace auxbench::lowbit_conv {
namespace {

using direct::Finish;
using direct::kStripPixels;
using direct::kWord;
using direct::Pixel;
using direct::Run;

constexpr size_t kPixels = 6;
constexpr size_t kPixels32 = 4;  // where sums are kept in 32 bits: one more register is taken
constexpr int64_t kUnit = kBlock;

struct Way {
  bool in_16, halves;
  int64_t steps;  // words that fit in 16 bits
};

Multiplied multiplied(const Problem& p) { return {.values = p.weight_bits != 8}; }

constexpr int64_t kFewest = 4;  // words for which it pays to add up in 16 bits
constexpr int64_t kHalf = 8;    // largest half of a weight

Way way_of(const Problem& p) {
  const int64_t code = (int64_t{1} << p.activation_bits) - 1;
  const int64_t weight =
      p.odd_weights && multiplied(p).values ? (int64_t{1} << p.weight_bits) - 1 : int64_t{1} << (p.weight_bits - 1);
  const auto steps = [&](int64_t largest) { return INT16_MAX / (2 * code * largest); };
  if (steps(weight) >= kFewest) return {.in_16 = true, .halves = false, .steps = steps(weight)};
  if (steps(weight) >= 1) return {.in_16 = false, .halves = false, .steps = 1};
  return {.in_16 = true, .halves = true, .steps = steps(kHalf)};
}

size_t body_bytes(const Problem& p) { return direct::body_bytes(p) * (way_of(p).halves ? 2 : 1); }

void pack(const Problem& p, const int8_t* codes, std::byte* body) {
  const auto high = [](int code) { return (code + kHalf) >> 4; };
  if (way_of(p).halves) {
    direct::pack(p, kUnit, codes, body, high);
    direct::pack(p, kUnit, codes, body + direct::body_bytes(p), [&](int code) { return code - 16 * high(code); });
  } else {
    direct::pack(p, kUnit, codes, body, [](int code) { return code; });
  }
}

__m256i load(const void* from) { return _mm256_load_si256(static_cast<const __m256i*>(from)); }

void store(void* to, __m256i value) { _mm256_store_si256(static_cast<__m256i*>(to), value); }

__m256i broadcast_word(const uint8_t* from) {
  int32_t word;
  std::memcpy(&word, from, sizeof word);
  return _mm256_set1_epi32(word);
}

template <bool In16>
[[gnu::always_inline]] inline __m256i add_products(__m256i acc, __m256i codes, __m256i weights) {
  const __m256i pairs = _mm256_maddubs_epi16(codes, weights);
  if constexpr (In16) return _mm256_add_epi16(acc, pairs);
  return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

// Adds `words` words for pixels First .. Last.
template <bool In16, size_t First, size_t Last, size_t P>
[[gnu::always_inline]] inline void add(int64_t byte, int64_t words, const uint8_t* const (&at)[P],
                                       const std::byte* weights, __m256i (&acc)[P][2]) {
  if constexpr (First >= Last) return;
  const int64_t end = byte + words * kWord;
  do {
    const __m256i w0 = load(weights), w1 = load(weights + 32);
    weights += 64;
#pragma GCC unroll 6
    for (size_t p = First; p < Last; ++p) {
      const __m256i codes = broadcast_word(at[p] + byte);
      acc[p][0] = add_products<In16>(acc[p][0], codes, w0);
      acc[p][1] = add_products<In16>(acc[p][1], codes, w1);
      // Keeps the order, in which everything stays in the 16 registers.
      if constexpr (!In16) asm volatile("" : "+x"(acc[p][0]), "+x"(acc[p][1]));
    }
    byte += kWord;
  } while (byte != end);
}

// Adds dots of P pixels and kUnit channels to tile[P][kUnit].
template <bool In16, size_t P>
[[gnu::noinline]] void group(const Run* run, const Run* end, const Pixel* pixels, const std::byte* weights,
                             int64_t steps, int32_t* tile) {
  __m256i acc[P][2];
  const uint8_t* at[P];
#pragma GCC unroll 6
  for (size_t p = 0; p < P; ++p) {
    at[p] = pixels[p].at;
    acc[p][0] = acc[p][1] = _mm256_setzero_si256();
  }
  const auto flush = [&]() __attribute__((always_inline)) {
#pragma GCC unroll 6
    for (size_t p = 0; p < P; ++p)
#pragma GCC unroll 2
      for (size_t b = 0; b < 2; ++b) {
        auto* to = tile + 16 * p + 8 * b;
        const __m256i sums = In16 ? _mm256_madd_epi16(acc[p][b], _mm256_set1_epi16(1)) : acc[p][b];
        store(to, _mm256_add_epi32(load(to), sums));
        acc[p][b] = _mm256_setzero_si256();
      }
  };
  int64_t left = steps;
  for (; run != end; ++run) {
    int64_t byte = run->at, words = run->bytes / kWord;
    const auto* from = weights + run->word * 64;
    while (words > 0) {
      const int64_t here = In16 ? direct::least(words, left) : words;
      if (run->of == Run::Of::all)
        add<In16, 0, P>(byte, here, at, from, acc);
      else if (run->of == Run::Of::all_but_first)
        add<In16, 1, P>(byte, here, at, from, acc);
      else
        add<In16, 0, P - 1>(byte, here, at, from, acc);
      byte += here * kWord;
      from += here * 64;
      words -= here;
      left -= here;
      if (In16 && left == 0) {
        flush();
        left = steps;
      }
    }
  }
  flush();
}

using Group = void (*)(const Run*, const Run*, const Pixel*, const std::byte*, int64_t, int32_t*);

struct Groups {
  Group of[kPixels];  // pixels less 1
};

template <bool In16, size_t... P>
constexpr Groups groups(std::index_sequence<P...>) {
  return {{group<In16, P + 1>...}};
}

constexpr Groups kGroups16 = groups<true>(std::make_index_sequence<kPixels>());
constexpr Groups kGroups32 = groups<false>(std::make_index_sequence<kPixels32>());

void run(const Problem& p, int, int64_t first, int64_t last, const Arguments& arguments, const Packed& packed) {
  const direct::Cut cut(p, kUnit);
  const Way way = way_of(p);
  const Finish finish(p, multiplied(p));
  const auto* pixels = reinterpret_cast<const Pixel*>(arguments.own);
  auto* sums = reinterpret_cast<int32_t*>(arguments.own + direct::Workspace(p, cut).sums);
  alignas(64) int32_t tile[kStripPixels * kUnit];
  const int64_t channel_bytes = direct::words(p) * kWord;
  const auto& table = way.in_16 ? kGroups16 : kGroups32;
  for (int64_t index = first; index < last; ++index) {
    const direct::Task task(p, cut, index);
    const auto all = direct::prepare(p, cut, task, arguments, packed);
    if (finish.row_factor != 0) direct::add_codes(p, all, pixels, task.pixels, sums);
    direct::for_groups(
        p, cut, task, arguments, all, [&](int64_t) { return static_cast<int64_t>(way.in_16 ? kPixels : kPixels32); },
        [&](int64_t pixel, int64_t size, int64_t channel, const Run* runs, const Run* end, int64_t before) {
          auto* acc = tile + before * kUnit;
          const auto compute = table.of[size - 1];
          const auto* weights = packed.body + channel * channel_bytes;
          if (way.halves) {
            std::memset(acc, 0, static_cast<size_t>(size * kUnit) * sizeof *acc);
            compute(runs, end, pixels + pixel, weights, way.steps, acc);
            weights += direct::body_bytes(p);
          }
          for (int64_t i = 0; i < size; ++i)
            for (int64_t c = 0; c < kUnit; c += 8) {
              const auto* correction = pixels[pixel + i].correction + channel + c;
              __m256i start = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(correction));
              auto* to = acc + i * kUnit + c;
              if (way.halves) start = _mm256_add_epi32(start, _mm256_slli_epi32(load(to), 4));
              store(to, start);
            }
          compute(runs, end, pixels + pixel, weights, way.steps, acc);
        },
        [&](int64_t pixel, int64_t count, int64_t channel) {
          direct::finish_strip(p, cut, task, arguments, finish, pixel, count, channel, tile);
        });
  }
}

// Zen 4 at 3.7 GHz, a sink of a few thresholds included.
double cost(const Problem& p) {
  const auto vectors = static_cast<double>(p.n * p.out_h() * p.out_w() * direct::ceil_div(p.out, kBlock));
  const Way way = way_of(p);
  double word = way.in_16 ? 0.366 + 0.5 / static_cast<double>(way.steps) : 0.61;
  if (way.halves) word *= 2;
  const double rest = Finish(p, multiplied(p)).plain() ? 4 : 6;
  return vectors * (word * direct::share(p) * static_cast<double>(direct::words(p)) + rest);
}

}  // namespace

extern const Kernel avx2_kernel;
const Kernel avx2_kernel = {
    .name = "avx2-direct",
    .idea = "8-bit products of the input as it lies, added up in 16 bits as long as they fit",
    .runs_on = [](const Isa& isa) { return isa.avx2; },
    .supports = [](const Problem&) { return true; },
    .cost = cost,
    .multiplied = multiplied,
    .body_bytes = body_bytes,
    .pack = pack,
    .shared_bytes = [](const Problem&) { return size_t{0}; },
    .own_bytes =
        [](const Problem& p) { return static_cast<size_t>(direct::Workspace(p, direct::Cut(p, kUnit)).bytes); },
    .phases = [](const Problem&) { return 1; },
    .tasks = [](const Problem& p, int) { return direct::Cut(p, kUnit).tasks(p); },
    .run = run,
};

}  // namespace auxbench::lowbit_conv
