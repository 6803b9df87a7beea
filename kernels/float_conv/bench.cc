// What float layers cost: our kernel and the loop that it replaced ("plain"), both for this processor, in turn.
// Multiply-accumulates per second; one image, one core.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "kernels/float_conv/bench_plain.h"

namespace {

using namespace auxbench;
using namespace auxbench::float_conv;
using requantize::FloatMap;

struct Layer {
  const char* name;
  int64_t size;
  Shape shape;
};

const Layer kLayers[] = {{"stem 7x7/2 3-64 at 224", 224, {.c = 3, .out = 64, .r = 7, .s = 7, .stride = 2, .pad = 3}},
                         {"stem 3x3 3-64 at 32", 32, {.c = 3, .out = 64, .r = 3, .s = 3, .stride = 1, .pad = 1}},
                         {"fc 512-1000", 1, {.c = 512, .out = 1000}}};

struct Problem {
  Shape shape;
  std::vector<float> in, out, weights, packed;
  std::vector<double> plain_packed;
  FloatMap<const float> from;
  FloatMap<float> to;

  explicit Problem(const Layer& layer) : shape(layer.shape) {
    const int64_t made = (layer.size + 2 * shape.pad - shape.r) / shape.stride + 1;
    const int64_t in_pixel = requantize::padded_channels(shape.c), out_pixel = requantize::padded_channels(shape.out);
    const auto some = [](size_t i) { return static_cast<float>(i * 7919 % 4001) / 1000.0F - 2.0F; };
    in.resize(static_cast<size_t>(layer.size * layer.size * in_pixel));
    for (size_t i = 0; i < in.size(); ++i) in[i] = some(i);
    const int64_t taps = shape.r * shape.s * shape.c;
    for (size_t i = 0; i < static_cast<size_t>(shape.out * taps); ++i) weights.push_back(some(i + 17));
    packed = pack(shape, weights);
    plain_packed.resize(static_cast<size_t>(taps * out_pixel));
    for (int64_t o = 0; o < shape.out; ++o)
      for (int64_t t = 0; t < taps; ++t)
        plain_packed[static_cast<size_t>(t * out_pixel + o)] =
            static_cast<double>(weights[static_cast<size_t>(o * taps + t)]);
    out.resize(static_cast<size_t>(made * made * out_pixel));
    from = {.data = in.data(), .h = layer.size, .w = layer.size, .pixel = in_pixel};
    to = {.data = out.data(), .h = made, .w = made, .pixel = out_pixel};
  }

  [[nodiscard]] double macs() const {
    return static_cast<double>(to.h * to.w * shape.out * shape.r * shape.s * shape.c);
  }
};

template <typename Run>
void time(benchmark::State& state, Problem& problem, const Run& run) {
  for (auto _ : state) {
    run();
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<int64_t>(static_cast<double>(state.iterations()) * problem.macs()));
}

PlainRows* plain_for(const Isa& isa) {
#if defined(__x86_64__)
  if (isa.avx512) return plain_avx512;
  if (isa.avx2) return plain_avx2;
#else
  (void)isa;
#endif
  return plain_generic;
}

}  // namespace

int main(int count, char** arguments) {
  for (const auto& layer : kLayers) {
    benchmark::RegisterBenchmark((std::string(layer.name) + "/ours").c_str(), [&layer](benchmark::State& state) {
      Problem p(layer);
      const auto rows = rows_for(this_isa());
      time(state, p, [&] { rows(p.shape, p.from, p.packed.data(), p.to, 0, p.to.h); });
    });
    benchmark::RegisterBenchmark((std::string(layer.name) + "/plain").c_str(), [&layer](benchmark::State& state) {
      Problem p(layer);
      auto* rows = plain_for(this_isa());
      time(state, p, [&] { rows(p.shape, p.from, p.plain_packed.data(), p.to, 0, p.to.h); });
    });
  }
  benchmark::Initialize(&count, arguments);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
