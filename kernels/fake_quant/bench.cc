// Every formula's two passes against the memory they have to move: the opponents are plain loops over arrays of the
// same size in the same run, one that reads one array and writes one (encode), one that reads two and writes one
// (differentiate), one that only reads (moments). Arrays of 64 MiB: larger than any last-level cache a core has to
// itself.
#include <benchmark/benchmark.h>

#include <numeric>
#include <string>
#include <vector>

#include "kernels/fake_quant/fake_quant.h"
#include "kernels/fake_quant/moments.h"
#include "kernels/fake_quant/reference.h"

namespace {

using namespace auxbench::fake_quant;

constexpr size_t kElements = size_t{1} << 24;

struct Arrays {
  std::vector<float> x, g, out, sums;

  explicit Arrays(size_t n) : x(n), g(n), out(n), sums(Pieces::of(n).last * 32) {
    for (size_t i = 0; i < n; ++i) {
      x[i] = static_cast<float>(i % 1000) / 700.0F - 0.2F;
      g[i] = static_cast<float>(i % 77) / 50.0F - 0.7F;
    }
  }
};

Arrays& arrays() {
  static Arrays made(kElements);
  return made;
}

void count_bytes(benchmark::State& state, int passes) {
  state.SetBytesProcessed(state.iterations() * passes * static_cast<int64_t>(kElements * sizeof(float)));
}

void stream_copy(benchmark::State& state) {
  auto& a = arrays();
  for (auto _ : state) {
    const float* x = a.x.data();
    float* out = a.out.data();
    for (size_t i = 0; i < kElements; ++i) out[i] = x[i] * 2.0F;
    benchmark::ClobberMemory();
  }
  count_bytes(state, 2);
}

void stream_add(benchmark::State& state) {
  auto& a = arrays();
  for (auto _ : state) {
    const float *x = a.x.data(), *g = a.g.data();
    float* out = a.out.data();
    for (size_t i = 0; i < kElements; ++i) out[i] = x[i] + g[i];
    benchmark::ClobberMemory();
  }
  count_bytes(state, 3);
}

void moments(benchmark::State& state) {
  auto& a = arrays();
  std::vector<PieceMoments> shares(Pieces::of(kElements).last);
  for (auto _ : state) {
    measure(std::span<const float>(a.x), Pieces::of(kElements), std::span<PieceMoments>(shares));
    benchmark::ClobberMemory();
  }
  count_bytes(state, 1);
}

void stream_sum(benchmark::State& state) {
  auto& a = arrays();
  for (auto _ : state) {
    float lanes[64] = {};
    const float* x = a.x.data();
    for (size_t i = 0; i < kElements; i += 64)
      for (size_t l = 0; l < 64; ++l) lanes[l] += x[i + l];
    benchmark::DoNotOptimize(lanes);
  }
  count_bytes(state, 1);
}

template <typename Formula>
void add(const std::string& name, const Formula& formula) {
  benchmark::RegisterBenchmark((name + "/encode").c_str(), [formula](benchmark::State& state) {
    auto& a = arrays();
    for (auto _ : state) {
      encode(formula, std::span<const float>(a.x), Pieces::of(kElements), std::span<float>(a.out));
      benchmark::ClobberMemory();
    }
    count_bytes(state, 2);
  });
  if (Formula::kStatistics > 0)
    benchmark::RegisterBenchmark((name + "/encode+statistics").c_str(), [formula](benchmark::State& state) {
      auto& a = arrays();
      for (auto _ : state) {
        encode(formula, std::span<const float>(a.x), Pieces::of(kElements), std::span<float>(a.out),
               std::span<float>(a.sums));
        benchmark::ClobberMemory();
      }
      count_bytes(state, 2);
    });
  benchmark::RegisterBenchmark((name + "/differentiate").c_str(), [formula](benchmark::State& state) {
    auto& a = arrays();
    for (auto _ : state) {
      differentiate(formula, std::span<const float>(a.x), std::span<const float>(a.g), Pieces::of(kElements),
                    std::span<float>(a.out), std::span<float>(a.sums));
      benchmark::ClobberMemory();
    }
    count_bytes(state, 3);
  });
}

void add_all() {
  static const std::vector<float> ordinary = {0.3F, 0.4F, 0.5F, 0.4F, 0.5F, 0.6F, 0.3F, 0.4F, 0.3F,
                                              1.0F, 0.3F, 0.4F, 0.5F, 0.4F, 0.5F, 0.6F, 0.3F, 1.0F};
  static const std::vector<float> ascending = {0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F, 0.7F, 0.8F,
                                               0.9F, 1.0F, 1.1F, 1.2F, 1.3F, 1.4F, 1.5F, 1.6F};
  const Parameter<float> one = {ordinary.data()}, sorted = {ascending.data()};
  FixedLevelsConfig two_bits, four_bits;
  for (size_t i = 0; i < 16; ++i) four_bits.levels[i] = static_cast<double>(i);
  for (size_t i = 0; i < 4; ++i) two_bits.levels[i] = static_cast<double>(i);
  add("clip", Clip<float>({}));
  add("dorefa-weight", DorefaWeight<float>({}, one));
  add("range", Range<float>({}, one));
  add("mid-rise", MidRise<float>({}, one));
  add("step", Step<float>({}, one));
  add("sign", Sign<float>({.limit = 1}));
  add("sign-polynomial", SignPolynomial<float>({}));
  add("interval", Interval<float>({.steps = 3}, one, one));
  add("ewgs", Ewgs<float>({}, {}, one, one, one));
  add("learned-levels-2", LearnedLevels2<float>({}, sorted, sorted, one));
  add("learned-levels-4", LearnedLevels4<float>({}, sorted, sorted, one));
  add("lookup-2", Lookup2<float>({}, sorted));
  add("lookup-4", Lookup4<float>({}, sorted));
  add("fixed-levels-2", FixedLevels2<float>(two_bits, one));
  add("fixed-levels-4", FixedLevels4<float>(four_bits, one));
  add("thresholds-2", Thresholds2<float>({}, one));
  add("thresholds-4", Thresholds4<float>({}, one));
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  benchmark::RegisterBenchmark("stream/read one, write one", stream_copy);
  benchmark::RegisterBenchmark("stream/read one", stream_sum);
  benchmark::RegisterBenchmark("moments", moments);
  add_all();
  benchmark::RegisterBenchmark("stream/read two, write one", stream_add);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
