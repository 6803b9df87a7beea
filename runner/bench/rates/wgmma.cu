// Rows of warpgroup matrix instructions: two warpgroups a multiprocessor, so that one's waits are the other's work,
// each accumulating into its own 64 x 256 tile.
#include "runner/bench/rates/wgmma.h"

#include "runner/bench/rates/bench.h"

namespace auxbench::rates {
namespace {

constexpr int kWarpgroups = 2, kThreads = 128 * kWarpgroups;
constexpr int kSteps = 4;   // tiles of A and B along K, so that successive instructions see other data
constexpr int kRounds = 4;  // over these tiles in one group of instructions
constexpr int kInstructions = kSteps * kRounds;

// a: [warpgroup][step][64 rows], b: [step][256 rows], rows of 32 bytes; tiles: [warpgroup][64][256], the last block's.
template <typename Kind, bool kARegisters>
__global__ void __launch_bounds__(kThreads, 1)
    multiply(const uint4* a, const uint4* b, int iterations, typename Kind::Accumulator* tiles, Stamp* stamps) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  constexpr int kPiecesA = kWarpgroups * kSteps * wgmma::kTileBytesA / 16, kPiecesB = kSteps * wgmma::kTileBytesB / 16;
  __shared__ __align__(128) uint4 shared_a[kARegisters ? 8 : kPiecesA];
  __shared__ __align__(128) uint4 shared_b[kPiecesB];
  const int warpgroup = static_cast<int>(threadIdx.x) / 128, warp = static_cast<int>(threadIdx.x) % 128 / 32,
            lane = static_cast<int>(threadIdx.x) % 32;
  if constexpr (!kARegisters)
    for (int i = static_cast<int>(threadIdx.x); i < kPiecesA; i += kThreads)
      shared_a[wgmma::core_matrix_piece(i)] = a[i];
  for (int i = static_cast<int>(threadIdx.x); i < kPiecesB; i += kThreads) shared_b[wgmma::core_matrix_piece(i)] = b[i];
  wgmma::publish_shared();
  __syncthreads();

  uint32_t fragments[kSteps][4] = {};
  if constexpr (kARegisters) {
    const auto* words = reinterpret_cast<const uint32_t*>(a);
    for (int step = 0; step < kSteps; ++step)
      for (int r = 0; r < 4; ++r)
        fragments[step][r] = words[((warpgroup * kSteps + step) * wgmma::kM + 16 * warp) * kRowWords + a_word(lane, r)];
  }
  const uint64_t tile_a =
      wgmma::advance(wgmma::descriptor(shared_a), kARegisters ? 0 : warpgroup * kSteps * wgmma::kTileBytesA);
  const uint64_t tile_b = wgmma::descriptor(shared_b);
  typename Kind::Accumulator d[wgmma::kAccumulators] = {};

  const Stamp start = now();
#pragma unroll 1
  for (int i = 0; i < iterations; ++i) {
    wgmma::begin();
#pragma unroll
    for (int k = 0; k < kInstructions; ++k) {
      const int step = k % kSteps;
      if constexpr (kARegisters)
        Kind::multiply(d, fragments[step], wgmma::advance(tile_b, step * wgmma::kTileBytesB));
      else
        Kind::multiply(d, wgmma::advance(tile_a, step * wgmma::kTileBytesA),
                       wgmma::advance(tile_b, step * wgmma::kTileBytesB));
    }
    wgmma::commit();
    wgmma::wait<1>();  // the next group is queued before this one ends
  }
  wgmma::wait<0>();
  leave_stamp(start, stamps);

  for (auto& accumulator : d) wgmma::pin(accumulator);
  if (blockIdx.x != gridDim.x - 1) return;
  for (int r = 0; r < wgmma::kAccumulators; ++r)
    tiles[(warpgroup * wgmma::kM + 16 * warp + d_row(lane, r)) * wgmma::kN + d_column(lane, r)] = d[r];
#endif
}

__global__ void tell_wgmma(int* has) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  *has = 1;
#else
  *has = 0;
#endif
}

struct Operands {
  std::vector<uint8_t> a, b;

  template <typename Kind>
  static Operands of(Values values) {
    return {random_rows(Kind::kA, values, kWarpgroups * kSteps * wgmma::kM, 1),
            random_rows(Kind::kB, values, kSteps * wgmma::kN, 2)};
  }
};

template <typename Accumulator>
struct DeviceOperands {
  DeviceArray<uint8_t> a, b;
  DeviceArray<Accumulator> tiles{kWarpgroups * wgmma::kM * wgmma::kN};

  explicit DeviceOperands(const Operands& host) : a(host.a), b(host.b) {}
};

template <typename Kind, bool kARegisters>
void launch(int blocks, const DeviceOperands<typename Kind::Accumulator>& operands, int iterations, Stamp* stamps) {
  multiply<Kind, kARegisters><<<static_cast<unsigned>(blocks), kThreads>>>(
      reinterpret_cast<const uint4*>(operands.a.data()), reinterpret_cast<const uint4*>(operands.b.data()), iterations,
      operands.tiles.data(), stamps);
}

template <typename Kind>
bool is_right(const Operands& operands, const std::vector<typename Kind::Accumulator>& tiles, int iterations) {
  constexpr int kDepth = values_of(Kind::kA);
  const std::vector<double> a = decode(Kind::kA, operands.a), b = decode(Kind::kB, operands.b);
  for (int warpgroup = 0; warpgroup < kWarpgroups; ++warpgroup)
    for (int m = 0; m < wgmma::kM; ++m)
      for (int n = 0; n < wgmma::kN; ++n) {
        double sum = 0;
        for (int step = 0; step < kSteps; ++step)
          sum += dot(a.data() + ((warpgroup * kSteps + step) * wgmma::kM + m) * kDepth,
                     b.data() + (step * wgmma::kN + n) * kDepth, kDepth);
        const auto got = tiles[static_cast<size_t>((warpgroup * wgmma::kM + m) * wgmma::kN + n)];
        if (static_cast<double>(got) != sum * kRounds * iterations) return false;
      }
  return true;
}

template <typename Kind, bool kARegisters>
void measure(Bench& bench, Row& row) {
  if (!bench.device().has_wgmma) return;
  const int blocks = bench.blocks_of(multiply<Kind, kARegisters>, kThreads);
  {
    constexpr int kIterations = 3;
    const Operands operands = Operands::of<Kind>(Values::small);
    DeviceOperands<typename Kind::Accumulator> on_device(operands);
    on_device.tiles.fill(0xff);  // what is not written shows
    Bench::run_once([&] { launch<Kind, kARegisters>(blocks, on_device, kIterations, bench.stamps()); });
    if (!is_right<Kind>(operands, on_device.tiles.host(), kIterations)) {
      row.status = kWrong;
      return;
    }
  }
  const DeviceOperands<typename Kind::Accumulator> on_device(Operands::of<Kind>(Values::all));
  bench.time(row, static_cast<double>(blocks) * kWarpgroups * kInstructions, blocks,
             [&](int iterations) { launch<Kind, kARegisters>(blocks, on_device, iterations, bench.stamps()); });
}

template <typename Kind, bool kARegisters>
Job job() {
  Row row;
  row.name = std::string(Kind::kName) + (kARegisters ? ", A in registers" : ", A in shared memory");
  row.group = "matrix";
  row.unit = "instructions";
  row.macs = static_cast<double>(wgmma::kM) * wgmma::kN * values_of(Kind::kA);
  row.is_bf16 = Kind::kA == Element::bf16;
  return {row, measure<Kind, kARegisters>};
}

template <typename... Kinds>
std::vector<Job> jobs_of() {
  std::vector<Job> jobs;
  (jobs.insert(jobs.end(), {job<Kinds, false>(), job<Kinds, true>()}), ...);
  return jobs;
}

}  // namespace

std::vector<Job> wgmma_jobs() {
  return jobs_of<wgmma::Bit, wgmma::SignedByte, wgmma::MixedByte, wgmma::Float8, wgmma::Bfloat16>();
}

bool has_wgmma() {
  DeviceArray<int> has(1);
  has.fill(0);
  Bench::run_once([&] { tell_wgmma<<<1, 1>>>(has.data()); });
  return has.host()[0] == 1;
}

}  // namespace auxbench::rates
