// Rows of mma.sync, the matrix instructions of one warp, m16n8 by 32 bytes: operands and accumulators in registers.
#include "runner/bench/rates/bench.h"
#include "runner/bench/rates/operands.h"

namespace auxbench::rates {
namespace {

constexpr int kM = 16, kN = 8;
constexpr int kThreads = 512, kWarps = kThreads / 32;
// Every pair of a tile of A and one of B has an accumulator of its own: eight independent chains a warp.
constexpr int kTilesA = 2, kTilesB = 4;
constexpr int kRounds = 4;
constexpr int kInstructions = kTilesA * kTilesB * kRounds;

#define AUXBENCH_KIND(Kind, element, Register, constraint, shape, types)                                   \
  struct Kind {                                                                                            \
    using Accumulator = Register;                                                                          \
    static constexpr Element kElement = Element::element;                                                  \
    static constexpr const char* kName = "mma.sync " shape " " types;                                      \
    __device__ static void multiply(Accumulator (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { \
      asm volatile("mma.sync.aligned." shape ".row.col." types                                             \
                   " {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "                                              \
                   "{%0,%1,%2,%3};"                                                                        \
                   : constraint(d[0]), constraint(d[1]), constraint(d[2]), constraint(d[3])                \
                   : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));                    \
    }                                                                                                      \
  };

AUXBENCH_KIND(Bit, b1, int32_t, "+r", "m16n8k256", "s32.b1.b1.s32.and.popc")
AUXBENCH_KIND(SignedNibble, s4, int32_t, "+r", "m16n8k64", "s32.s4.s4.s32")
AUXBENCH_KIND(SignedByte, s8, int32_t, "+r", "m16n8k32", "s32.s8.s8.s32")
AUXBENCH_KIND(Bfloat16, bf16, float, "+f", "m16n8k16", "f32.bf16.bf16.f32")
#undef AUXBENCH_KIND

// a: [tile][16 rows], b: [tile][8 rows], rows of 32 bytes; results: [warp][tile of A][tile of B][16][8], the last
// block's.
template <typename Kind>
__global__ void __launch_bounds__(kThreads)
    multiply(const uint32_t* a, const uint32_t* b, int iterations, typename Kind::Accumulator* results, Stamp* stamps) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  uint32_t fragments_a[kTilesA][4], fragments_b[kTilesB][2];
  for (int tile = 0; tile < kTilesA; ++tile)
    for (int r = 0; r < 4; ++r) fragments_a[tile][r] = a[tile * kM * kRowWords + a_word(lane, r)];
  for (int tile = 0; tile < kTilesB; ++tile)
    for (int r = 0; r < 2; ++r) fragments_b[tile][r] = b[tile * kN * kRowWords + b_word(lane, r)];
  typename Kind::Accumulator d[kTilesA][kTilesB][4] = {};

  const Stamp start = now();
#pragma unroll 1
  for (int i = 0; i < iterations; ++i)
#pragma unroll
    for (int round = 0; round < kRounds; ++round)
#pragma unroll
      for (int tile_a = 0; tile_a < kTilesA; ++tile_a)
#pragma unroll
        for (int tile_b = 0; tile_b < kTilesB; ++tile_b)
          Kind::multiply(d[tile_a][tile_b], fragments_a[tile_a], fragments_b[tile_b]);
  leave_stamp(start, stamps);

  if (blockIdx.x != gridDim.x - 1) return;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  for (int tile_a = 0; tile_a < kTilesA; ++tile_a)
    for (int tile_b = 0; tile_b < kTilesB; ++tile_b)
      for (int r = 0; r < 4; ++r)
        results[(((warp * kTilesA + tile_a) * kTilesB + tile_b) * kM + d_row(lane, r)) * kN + d_column(lane, r)] =
            d[tile_a][tile_b][r];
}

struct Operands {
  std::vector<uint8_t> a, b;

  static Operands of(Element element, Values values) {
    return {random_rows(element, values, kTilesA * kM, 1), random_rows(element, values, kTilesB * kN, 2)};
  }
};

template <typename Accumulator>
struct DeviceOperands {
  DeviceArray<uint8_t> a, b;
  DeviceArray<Accumulator> results{kWarps * kTilesA * kTilesB * kM * kN};

  explicit DeviceOperands(const Operands& host) : a(host.a), b(host.b) {}
};

template <typename Kind>
void launch(int blocks, const DeviceOperands<typename Kind::Accumulator>& operands, int iterations, Stamp* stamps) {
  multiply<Kind><<<static_cast<unsigned>(blocks), kThreads>>>(reinterpret_cast<const uint32_t*>(operands.a.data()),
                                                              reinterpret_cast<const uint32_t*>(operands.b.data()),
                                                              iterations, operands.results.data(), stamps);
}

template <typename Kind>
bool is_right(const Operands& operands, const std::vector<typename Kind::Accumulator>& results, int iterations) {
  constexpr int kDepth = values_of(Kind::kElement);
  const std::vector<double> a = decode(Kind::kElement, operands.a), b = decode(Kind::kElement, operands.b);
  size_t i = 0;
  for (int warp = 0; warp < kWarps; ++warp)
    for (int tile_a = 0; tile_a < kTilesA; ++tile_a)
      for (int tile_b = 0; tile_b < kTilesB; ++tile_b)
        for (int m = 0; m < kM; ++m)
          for (int n = 0; n < kN; ++n) {
            const double sum =
                dot(a.data() + (tile_a * kM + m) * kDepth, b.data() + (tile_b * kN + n) * kDepth, kDepth);
            if (static_cast<double>(results[i++]) != sum * kRounds * iterations) return false;
          }
  return true;
}

template <typename Kind>
void measure(Bench& bench, Row& row) {
  const int blocks = bench.blocks_of(multiply<Kind>, kThreads);
  {
    constexpr int kIterations = 3;
    const Operands operands = Operands::of(Kind::kElement, Values::small);
    DeviceOperands<typename Kind::Accumulator> on_device(operands);
    on_device.results.fill(0xff);  // what is not written shows
    Bench::run_once([&] { launch<Kind>(blocks, on_device, kIterations, bench.stamps()); });
    if (!is_right<Kind>(operands, on_device.results.host(), kIterations)) {
      row.status = kWrong;
      return;
    }
  }
  const DeviceOperands<typename Kind::Accumulator> on_device(Operands::of(Kind::kElement, Values::all));
  bench.time(row, static_cast<double>(blocks) * kWarps * kInstructions, blocks,
             [&](int iterations) { launch<Kind>(blocks, on_device, iterations, bench.stamps()); });
}

template <typename Kind>
Job job(bool is_native) {
  Row row;
  row.name = Kind::kName;
  row.group = "matrix";
  row.unit = "instructions";
  row.macs = static_cast<double>(kM) * kN * values_of(Kind::kElement);
  row.is_bf16 = Kind::kElement == Element::bf16;
  if (!is_native) row.note = "made of other instructions on this device";
  return {row, measure<Kind>};
}

}  // namespace

std::vector<Job> mma_jobs(const Device& device) {
  const bool before_hopper = device.major < 9, before_blackwell = device.major < 10;
  return {job<Bit>(before_blackwell), job<SignedNibble>(before_hopper), job<SignedByte>(true), job<Bfloat16>(true)};
}

}  // namespace auxbench::rates
