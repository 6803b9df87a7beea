#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/random.h"
#include "runner/bench/opponents/opponent.h"

namespace auxbench::opponents {

Layer random_layer(const ConvShape& shape, uint64_t seed, int x_max, int w_max) {
  AUXBENCH_CHECK(x_max >= 1 && x_max <= 255 && w_max >= 1 && w_max <= 127, "codes of 8 bits");
  RandomStream random(seed);
  const auto size = [](int64_t count) { return static_cast<size_t>(count); };
  Layer layer{.shape = shape,
              .x = std::vector<uint8_t>(size(shape.n * shape.h * shape.w * shape.c)),
              .w = std::vector<int8_t>(size(shape.out * shape.r * shape.s * shape.c)),
              .scale = std::vector<float>(size(shape.out)),
              .bias = std::vector<float>(size(shape.out))};
  for (auto& x : layer.x) x = static_cast<uint8_t>(random.below(static_cast<uint64_t>(x_max) + 1));
  for (auto& w : layer.w)
    w = static_cast<int8_t>(static_cast<int>(random.below(2 * static_cast<uint64_t>(w_max) + 1)) - w_max);
  const auto taps = static_cast<double>(shape.r * shape.s * shape.c);
  const double deviation = std::sqrt(taps) * (x_max / std::sqrt(3.0)) * (w_max / std::sqrt(3.0));
  for (auto& scale : layer.scale) scale = static_cast<float>((30 + 60 * random.uniform()) / deviation);
  for (auto& bias : layer.bias) bias = static_cast<float>(128 * random.uniform());
  return layer;
}

std::vector<double> reference(const Layer& layer) {
  const auto& l = layer.shape;
  std::vector<double> y;
  y.reserve(static_cast<size_t>(l.n * l.out_h() * l.out_w() * l.out));
  for (int64_t n = 0; n < l.n; ++n)
    for (int64_t i = 0; i < l.out_h(); ++i)
      for (int64_t j = 0; j < l.out_w(); ++j)
        for (int64_t o = 0; o < l.out; ++o) {
          int64_t sum = 0;
          for (int64_t r = 0; r < l.r; ++r)
            for (int64_t s = 0; s < l.s; ++s) {
              const int64_t row = i * l.stride + r - l.pad, column = j * l.stride + s - l.pad;
              if (row < 0 || row >= l.h || column < 0 || column >= l.w) continue;
              const auto* x = layer.x.data() + ((n * l.h + row) * l.w + column) * l.c;
              const auto* w = layer.w.data() + ((o * l.r + r) * l.s + s) * l.c;
              for (int64_t c = 0; c < l.c; ++c) sum += x[c] * w[c];
            }
          const auto channel = static_cast<size_t>(o);
          const double value = static_cast<double>(layer.scale[channel]) * static_cast<double>(sum) +
                               static_cast<double>(layer.bias[channel]);
          y.push_back(std::max(0.0, value));
        }
  return y;
}

const char* name_of(Arithmetic arithmetic) {
  switch (arithmetic) {
    case Arithmetic::fp32:
      return "fp32";
    case Arithmetic::bf16:
      return "bf16";
    case Arithmetic::int8:
      return "int8";
  }
  return "?";
}

}  // namespace auxbench::opponents
