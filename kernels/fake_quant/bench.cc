// Fake quantization against the memory it has to move: the opponent is a copy of the same arrays in the same run.
#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "kernels/fake_quant/fake_quant.h"
#include "kernels/fake_quant/reference.h"

namespace {

using namespace auxbench::fake_quant;

std::vector<float> ramp(size_t n) {
  std::vector<float> x(n);
  for (size_t i = 0; i < n; ++i) x[i] = static_cast<float>(i % 1000) / 700.0F - 0.2F;
  return x;
}

void bytes_moved(benchmark::State& state, int arrays) {
  state.SetBytesProcessed(state.iterations() * state.range(0) * arrays * static_cast<int64_t>(sizeof(float)));
}

void copy(benchmark::State& state) {
  const auto x = ramp(static_cast<size_t>(state.range(0)));
  std::vector<float> y(x.size());
  for (auto _ : state) {
    std::memcpy(y.data(), x.data(), x.size() * sizeof(float));
    benchmark::ClobberMemory();
  }
  bytes_moved(state, 2);
}

void forward(benchmark::State& state) {
  const auto x = ramp(static_cast<size_t>(state.range(0)));
  std::vector<float> y(x.size());
  for (auto _ : state) {
    map(ClipLevel<float>({}), std::span<const float>(x), std::span<float>(y));
    benchmark::ClobberMemory();
  }
  bytes_moved(state, 2);
}

void backward(benchmark::State& state) {
  const auto x = ramp(static_cast<size_t>(state.range(0)));
  std::vector<float> y(x.size());
  for (auto _ : state) {
    map(ClipGradient<float>({}), std::span<const float>(x), std::span<const float>(x), std::span<float>(y));
    benchmark::ClobberMemory();
  }
  bytes_moved(state, 3);
}

void slow_reference(benchmark::State& state) {
  const auto x = ramp(static_cast<size_t>(state.range(0)));
  std::vector<float> y(x.size());
  for (auto _ : state) {
    for (size_t i = 0; i < x.size(); ++i) y[i] = reference::clip_level(x[i], {});
    benchmark::ClobberMemory();
  }
  bytes_moved(state, 2);
}

BENCHMARK(copy)->Arg(1 << 14)->Arg(1 << 24);
BENCHMARK(forward)->Arg(1 << 14)->Arg(1 << 24);
BENCHMARK(backward)->Arg(1 << 14)->Arg(1 << 24);
BENCHMARK(slow_reference)->Arg(1 << 14);

}  // namespace

BENCHMARK_MAIN();
