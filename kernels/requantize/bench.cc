// What a convolution's outputs cost on their way out, in outputs per second on one core: the vector form that this
// processor takes and the reference beside it, for the epilogues that networks have. A tile of 32 pixels with 64
// channels, all of it in the nearest caches: a 1x1 convolution with few inputs has little else to do.
#include <benchmark/benchmark.h>

#include <limits>
#include <string>
#include <vector>

#include "kernels/requantize/requantize.h"

namespace {

using namespace auxbench;
using namespace auxbench::requantize;

constexpr int64_t kPixels = 32, kChannels = 64;
constexpr size_t kOutputs = kPixels * kChannels;

struct Arrays {
  std::vector<int32_t> acc = std::vector<int32_t>(kOutputs), flip = std::vector<int32_t>(kChannels);
  std::vector<float> scale, alpha, beta, residual = std::vector<float>(kOutputs), out = residual, table;
  std::vector<uint8_t> codes = std::vector<uint8_t>(kOutputs), residual_codes;

  Arrays() : residual_codes(kOutputs + kSlack, 3) {
    for (size_t i = 0; i < kOutputs; ++i) {
      acc[i] = static_cast<int32_t>(i * 7919 % 4001) - 2000;
      residual[i] = static_cast<float>(i % 100) / 25.0F - 2.0F;
    }
    for (size_t c = 0; c < kChannels; ++c) {
      scale.push_back(0.001F + static_cast<float>(c) * 1e-6F);
      alpha.push_back(0.9F + static_cast<float>(c % 17) * 0.01F);
      beta.push_back(static_cast<float>(c % 13) * 0.05F - 0.3F);
    }
    for (int j = 0; j < 255; ++j) table.push_back(static_cast<float>(j) * 0.13F - 1.0F);
    table.push_back(std::numeric_limits<float>::infinity());
  }
};

Arrays& arrays() {
  static Arrays made;
  return made;
}

CodeMap<uint8_t> codes() { return {arrays().codes.data(), 1, kPixels, 0, kChannels}; }

// `spread`: how far apart thresholds are; far ones do not fit in 16 bits.
Epilogue thresholds(int32_t count, int32_t spread = 300) {
  static std::vector<std::vector<int32_t>> kept;
  auto& values = kept.emplace_back();
  for (int32_t j = 0; j < count; ++j)
    for (int32_t c = 0; c < kChannels; ++c) values.push_back((j - count / 2) * spread + c);
  return {.channels = kChannels,
          .thresholds = values.data(),
          .flip = arrays().flip.data(),
          .count = count,
          .codes = codes()};
}

Epilogue ramp(int32_t count) {
  return {.channels = kChannels,
          .count = count,
          .slope = arrays().scale.data(),
          .offset = arrays().beta.data(),
          .codes = codes()};
}

Encoder affine() { return {.kind = Encoder::Kind::affine, .steps = 15, .multiply = 15}; }

Encoder table(int32_t steps) {
  return {.kind = Encoder::Kind::thresholds, .steps = steps, .table = arrays().table.data()};
}

Epilogue chain(const Encoder& encoder) {
  auto& a = arrays();
  return {.channels = kChannels,
          .scale = a.scale.data(),
          .alpha = a.alpha.data(),
          .beta = a.beta.data(),
          .encoder = encoder,
          .codes = codes()};
}

Epilogue with_floats(Epilogue epilogue) {
  auto& a = arrays();
  epilogue.residual = {a.residual.data(), 1, kPixels, kChannels};
  epilogue.out = {a.out.data(), 1, kPixels, kChannels};
  epilogue.clamp = true;
  return epilogue;
}

Epilogue with_codes(Epilogue epilogue) {
  epilogue.residual_codes = {arrays().residual_codes.data(), 1, kPixels, 0, kChannels};
  epilogue.residual_step = 2;
  epilogue.residual_scale = 0.1F;
  return epilogue;
}

Epilogue with_relu_first(Epilogue epilogue) {
  epilogue.relu_first = true;
  return epilogue;
}

void measure(benchmark::State& state, Apply apply, const Epilogue& epilogue) {
  const Tile tile = {.acc = arrays().acc.data(), .stride = kChannels, .pixels = kPixels, .channels = kChannels};
  for (auto _ : state) {
    apply(epilogue, tile);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kOutputs));
}

void add(const std::string& name, const Epilogue& epilogue) {
  for (const char* cap : {"generic", "avx2", "avx512"}) {
    const auto isa = detect_isa(cap);
    if (apply_for(isa) == apply_reference && std::string(cap) != "generic") continue;
    benchmark::RegisterBenchmark((name + "/" + cap).c_str(),
                                 [=](benchmark::State& state) { measure(state, apply_for(isa), epilogue); });
  }
}

void add_all() {
  for (const int32_t count : {1, 3, 7, 15}) add("thresholds-" + std::to_string(count), thresholds(count));
  add("thresholds-15-far", thresholds(15, 100000));
  for (const int32_t count : {3, 15}) add("ramp-" + std::to_string(count), ramp(count));
  add("chain/affine", chain(affine()));
  add("chain/table-3", chain(table(3)));
  add("chain/table-15", chain(table(15)));
  add("chain/table-255", chain(table(255)));
  add("chain+residual+out/affine", with_floats(chain(affine())));
  add("chain+residual+out/table-15", with_floats(chain(table(15))));
  add("chain+residual codes/affine", with_codes(chain(affine())));
  add("chain+relu first/affine", with_relu_first(chain(affine())));
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  add_all();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
