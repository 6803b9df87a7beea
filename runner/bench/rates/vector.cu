// Rows of ordinary instructions: POPC, LOP3, and unpacking codes of 4, 2 and 1 bits to bytes in registers.
//
// Unpacking is timed in chains. A thread takes a word of codes, unpacks it, folds the resulting words of four bytes
// each into a sum with one multiply-add a word, and that sum is its next word of codes. So no step can be left out or
// moved, what is not unpacking are multiply-adds alone, which run in another pipe than logic, shifts and byte permutes,
// and the last word proves every step: a chain with a plain loop over the codes has to end in the same word.
#include <random>

#include "runner/bench/rates/bench.h"

namespace auxbench::rates {
namespace {

constexpr int kThreads = 256;
constexpr uint32_t kMultiplier = 0x9E3779B1U;  // odd: no step loses what the sum knew

__device__ constexpr uint32_t in_every_byte(uint32_t byte) { return byte * 0x01010101U; }

// A scheme says in which order the codes of a word come out and what becomes of a code; unpack() does it fast.
//   first_bit(i, j)   the lowest bit of the code that becomes byte j of result word i
//   byte(code)        that byte, two's complement
// The order is the packing's choice: codes that come out together lie a byte, or with tables a nibble, apart.

// The code itself, 0 .. 2^bits - 1.
template <int kBitsOfCode>
struct Plain {
  static constexpr int kBits = kBitsOfCode, kWords = 8 / kBits;
  static constexpr const char* kResult = "the code";
  __device__ static int first_bit(int i, int j) { return 8 * j + kBits * i; }
  __device__ static int byte(int code) { return code; }
  __device__ static void unpack(uint32_t codes, uint32_t (&words)[kWords]) {
#pragma unroll
    for (int i = 0; i < kWords; ++i) words[i] = codes >> (kBits * i) & in_every_byte((1U << kBits) - 1);
  }
};

// A code in two's complement, in the upper bits of its byte: 2^(8-bits) times too large, which the scale takes back.
template <int kBitsOfCode>
struct Shifted {
  static constexpr int kBits = kBitsOfCode, kWords = 8 / kBits;
  static constexpr const char* kResult = "signed, in the upper bits";
  __device__ static int first_bit(int i, int j) { return 8 * j + kBits * i; }
  __device__ static int byte(int code) {
    const int value = code < 1 << (kBits - 1) ? code : code - (1 << kBits);
    return value * (1 << (8 - kBits));
  }
  __device__ static void unpack(uint32_t codes, uint32_t (&words)[kWords]) {
    constexpr uint32_t kUpper = 0xffU << (8 - kBits) & 0xffU;
#pragma unroll
    for (int i = 0; i < kWords; ++i) words[i] = codes << (8 - kBits * (i + 1)) & in_every_byte(kUpper);
  }
};

// The code less 2^(bits-1). Adding 128 - 2^(bits-1) carries into no neighbour; turning the sign bit takes 128 away.
template <int kBitsOfCode>
struct Centred {
  static constexpr int kBits = kBitsOfCode, kWords = 8 / kBits;
  static constexpr const char* kResult = "signed";
  __device__ static int first_bit(int i, int j) { return 8 * j + kBits * i; }
  __device__ static int byte(int code) { return code - (1 << (kBits - 1)); }
  __device__ static void unpack(uint32_t codes, uint32_t (&words)[kWords]) {
    Plain<kBits>::unpack(codes, words);
#pragma unroll
    for (int i = 0; i < kWords; ++i)
      words[i] = (words[i] + in_every_byte(0x80 - (1U << (kBits - 1)))) ^ in_every_byte(0x80);
  }
};

// Any byte for each code, here the odd levels 2 code - (2^bits - 1): PRMT looks four codes up in a register. Its
// selectors are the nibbles of the lower half of a word, and it ignores the upper half.
template <int kBitsOfCode>
struct Table {
  static_assert(kBitsOfCode <= 2, "PRMT selects from eight bytes; a code's nibble must leave its highest bit clear");
  static constexpr int kBits = kBitsOfCode, kWords = 8 / kBits;
  static constexpr const char* kResult = "from a table";
  static constexpr uint32_t kTable = kBits == 2 ? 0x0301FFFDU : 0x000001FFU;
  __device__ static int first_bit(int i, int j) { return 4 * (4 * (i % 2) + j) + kBits * (i / 2); }
  __device__ static int byte(int code) { return 2 * code - ((1 << kBits) - 1); }
  __device__ static void unpack(uint32_t codes, uint32_t (&words)[kWords]) {
    constexpr uint32_t kNibbles = ((1U << kBits) - 1) * 0x11111111U;
#pragma unroll
    for (int i = 0; i < kWords; i += 2) {
      const uint32_t selectors = codes >> (kBits * i / 2) & kNibbles;
      words[i] = permute(selectors);
      words[i + 1] = permute(selectors >> 16);
    }
  }
  __device__ static uint32_t permute(uint32_t selectors) {
    uint32_t bytes;
    asm("prmt.b32 %0, %1, 0, %2;" : "=r"(bytes) : "r"(kTable), "r"(selectors));
    return bytes;
  }
};

// What every scheme's unpack() has to equal.
template <typename Scheme>
struct CodeByCode {
  static constexpr int kBits = Scheme::kBits, kWords = Scheme::kWords;
  __device__ static void unpack(uint32_t codes, uint32_t (&words)[kWords]) {
    for (int i = 0; i < kWords; ++i) {
      words[i] = 0;
      for (int j = 0; j < 4; ++j) {
        const int code = static_cast<int>(codes >> Scheme::first_bit(i, j)) & ((1 << kBits) - 1);
        words[i] |= (static_cast<uint32_t>(Scheme::byte(code)) & 0xffU) << (8 * j);
      }
    }
  }
};

template <typename Scheme>
struct UnpackChains {
  static constexpr int kChains = 2, kSteps = 4;  // chains a thread, steps an iteration
  __device__ static void step(uint32_t (&state)[kChains], uint32_t multiplier) {
#pragma unroll
    for (int k = 0; k < kSteps; ++k)
#pragma unroll
      for (int chain = 0; chain < kChains; ++chain) {
        uint32_t words[Scheme::kWords];
        Scheme::unpack(state[chain], words);
#pragma unroll
        for (int i = 0; i < Scheme::kWords; ++i) state[chain] = state[chain] * multiplier + words[i];
      }
  }
};

// x <- x ^ (~y & z) over eight words in turn: three sources, one LOP3, and no two of them can be merged.
template <bool kOneInstruction>
struct LogicChains {
  static constexpr int kChains = 8, kSteps = 8;
  __device__ static void step(uint32_t (&state)[kChains], uint32_t) {
#pragma unroll
    for (int k = 0; k < kSteps; ++k)
#pragma unroll
      for (int i = 0; i < kChains; ++i) {
        uint32_t &x = state[i], y = state[(i + 1) % kChains], z = state[(i + 2) % kChains];
        if constexpr (kOneInstruction)
          x ^= ~y & z;
        else
          x = (x & y) | (x & ~z) | (~x & ~y & z);
      }
  }
};

// Each count is folded into the next word to count by one multiply-add, in another pipe.
template <bool kOneInstruction>
struct CountChains {
  static constexpr int kChains = 4, kSteps = 8;
  __device__ static void step(uint32_t (&state)[kChains], uint32_t multiplier) {
#pragma unroll
    for (int k = 0; k < kSteps; ++k)
#pragma unroll
      for (int i = 0; i < kChains; ++i) state[i] = count(state[i]) * multiplier + state[i];
  }
  __device__ static uint32_t count(uint32_t word) {
    if constexpr (kOneInstruction) return static_cast<uint32_t>(__popc(static_cast<int>(word)));
    uint32_t bits = 0;
    for (int i = 0; i < 32; ++i) bits += word >> i & 1;
    return bits;
  }
};

// seeds, ends: [chain][thread of the grid].
template <typename Chains>
__global__ void __launch_bounds__(kThreads)
    run(const uint32_t* seeds, int iterations, uint32_t multiplier, uint32_t* ends, Stamp* stamps) {
  const size_t thread = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x;
  const size_t threads = static_cast<size_t>(gridDim.x) * kThreads;
  uint32_t state[Chains::kChains];
  for (int chain = 0; chain < Chains::kChains; ++chain) state[chain] = seeds[chain * threads + thread];
  const Stamp start = now();
#pragma unroll 1
  for (int i = 0; i < iterations; ++i) Chains::step(state, multiplier);
  leave_stamp(start, stamps);
  for (int chain = 0; chain < Chains::kChains; ++chain) ends[chain * threads + thread] = state[chain];
}

std::vector<uint32_t> random_words(size_t count) {
  std::mt19937 random(1);
  std::vector<uint32_t> words(count);
  for (uint32_t& word : words) word = static_cast<uint32_t>(random());
  return words;
}

// per_step: what one chain counts in one step.
template <typename Fast, typename Slow>
void measure(Bench& bench, Row& row, double per_step) {
  const int blocks = bench.blocks_of(run<Fast>, kThreads);
  const size_t threads = static_cast<size_t>(blocks) * kThreads;
  const DeviceArray<uint32_t> seeds(random_words(threads * Fast::kChains));
  DeviceArray<uint32_t> ends(seeds.size());
  const auto grid = static_cast<unsigned>(blocks);
  constexpr int kIterations = 25;
  ends.fill(0);
  Bench::run_once(
      [&] { run<Slow><<<grid, kThreads>>>(seeds.data(), kIterations, kMultiplier, ends.data(), bench.stamps()); });
  const std::vector<uint32_t> wanted = ends.host();
  ends.fill(0);
  Bench::run_once(
      [&] { run<Fast><<<grid, kThreads>>>(seeds.data(), kIterations, kMultiplier, ends.data(), bench.stamps()); });
  if (ends.host() != wanted) {
    row.status = kWrong;
    return;
  }
  const double units = static_cast<double>(threads) * Fast::kChains * Fast::kSteps * per_step;
  bench.time(row, units, blocks, [&](int iterations) {
    run<Fast><<<grid, kThreads>>>(seeds.data(), iterations, kMultiplier, ends.data(), bench.stamps());
  });
}

template <typename Fast, typename Slow>
Job job(const std::string& name, const std::string& unit, double per_step) {
  Row row;
  row.name = name;
  row.group = "vector";
  row.unit = unit;
  return {row, [per_step](Bench& bench, Row& measured) { measure<Fast, Slow>(bench, measured, per_step); }};
}

template <typename Scheme>
Job unpack_job() {
  const std::string bits = std::to_string(Scheme::kBits) + (Scheme::kBits == 1 ? " bit" : " bits");
  return job<UnpackChains<Scheme>, UnpackChains<CodeByCode<Scheme>>>("unpack " + bits + " to s8: " + Scheme::kResult,
                                                                     "values", 32.0 / Scheme::kBits);
}

}  // namespace

std::vector<Job> vector_jobs() {
  return {unpack_job<Plain<4>>(),
          unpack_job<Shifted<4>>(),
          unpack_job<Centred<4>>(),
          unpack_job<Plain<2>>(),
          unpack_job<Shifted<2>>(),
          unpack_job<Table<2>>(),
          unpack_job<Plain<1>>(),
          unpack_job<Table<1>>(),
          job<CountChains<true>, CountChains<false>>("popc", "operations", 1),
          job<LogicChains<true>, LogicChains<false>>("lop3", "operations", 1)};
}

}  // namespace auxbench::rates
