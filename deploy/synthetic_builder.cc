#include "deploy/synthetic_builder.h"

#include <cmath>
#include <utility>

namespace auxbench {

using Kind = IntegerStep::Kind;
using Type = IntegerValue::Type;

SyntheticBuilder::SyntheticBuilder(const IntegerNetwork& empty, int weight_bits, int activation_bits, int64_t seed)
    : weight_bits_(weight_bits),
      activation_bits_(activation_bits),
      random_(stream_seed(seed, "synthetic network")),
      network_(empty) {}

size_t SyntheticBuilder::new_value(Type type, int64_t channels, int bits) {
  const int32_t largest = type == Type::codes ? (1 << bits) - 1 : 0;
  network_.values.push_back(
      {.type = type,
       .channels = channels,
       .codes = {.largest = largest, .scale = largest > 0 ? 1.0F / static_cast<float>(largest) : 1.0F}});
  return network_.values.size() - 1;
}

// DoReFa's: round(clip(v, 0, 1) n).
void SyntheticBuilder::encode(IntegerStep& step, int64_t channels, int bits) {
  step.out_codes = new_value(Type::codes, channels, bits);
  const int n = (1 << bits) - 1;
  if (n > 7) {
    step.encoder = {.kind = "affine", .lo = 0, .hi = 1, .multiply = static_cast<float>(n)};
    return;
  }
  step.encoder.kind = "thresholds";
  for (int j = 1; j <= n; ++j) step.encoder.table.push_back((static_cast<float>(j) - 0.5F) / static_cast<float>(n));
}

size_t SyntheticBuilder::encoded(const std::string& name, size_t in, int bits, bool relu) {
  IntegerStep step = {.kind = Kind::elementwise, .name = name, .inputs = {in}, .clamp = relu};
  encode(step, channels(in), bits);
  network_.steps.push_back(std::move(step));
  return last_step().out_codes;
}

size_t SyntheticBuilder::pixels() {
  const auto image = new_value(Type::floats, network_.channels);
  network_.steps.push_back({.kind = Kind::image, .name = "image", .out_floats = image});
  return encoded("pixels", image, kEndBits);
}

float SyntheticBuilder::uniform(double lowest, double highest) {
  return static_cast<float>(lowest + random_.uniform() * (highest - lowest));
}

void SyntheticBuilder::draw(IntegerStep& step, const IntegerValue& in) {
  const auto taps = step.r * step.s * in.channels;
  const int levels = 1 << step.weight_bits;
  for (int64_t i = 0; i < step.out * taps; ++i)
    step.weights.push_back(
        static_cast<int8_t>(static_cast<int>(random_.below(static_cast<uint64_t>(levels))) - levels / 2));
  // Sums of so many random products, brought to a deviation of about one: codes spread over all levels.
  const double weight = step.odd_weights ? levels / std::sqrt(3.0) : levels / std::sqrt(12.0);
  const double code = in.codes.largest * 0.6;
  const auto scale = static_cast<float>(1 / (std::sqrt(static_cast<double>(taps)) * weight * code));
  step.scale.assign(static_cast<size_t>(step.out), scale);
  for (int64_t o = 0; o < step.out; ++o) {
    step.alpha.push_back(uniform(0.3, 0.9));
    step.beta.push_back(uniform(0.0, 0.8));
  }
}

size_t SyntheticBuilder::convolution(const Layer& layer) {
  const auto in = network_.values[layer.in];
  IntegerStep step = {.kind = Kind::convolution,
                      .name = layer.name,
                      .inputs = {layer.in},
                      .out = layer.out,
                      .r = layer.kernel,
                      .s = layer.kernel,
                      .stride = layer.stride,
                      .pad = layer.kernel / 2,
                      .weight_bits = layer.bits,
                      .odd_weights = layer.bits < kEndBits,
                      .shares = layer.shares,
                      .residual = layer.residual};
  if (layer.shares == kNoValue) {
    draw(step, in);
  } else {
    const auto& holder = network_.steps[layer.shares];
    step.scale = holder.scale;
    step.alpha = holder.alpha;
    step.beta = holder.beta;
  }
  const bool codes = layer.both || (layer.activation && !layer.floats);
  step.clamp = layer.activation && !layer.both;
  if (codes) encode(step, layer.out, layer.code_bits > 0 ? layer.code_bits : activation_bits_);
  if (!codes || layer.both) step.out_floats = new_value(Type::floats, layer.out);
  const auto made = codes ? step.out_codes : step.out_floats;
  network_.steps.push_back(std::move(step));
  return made;
}

size_t SyntheticBuilder::max_pool(size_t in) {
  const auto made = new_value(Type::codes, channels(in), activation_bits_);
  network_.steps.push_back({.kind = Kind::max_pool, .name = "maxpool", .inputs = {in}, .out_codes = made});
  return made;
}

size_t SyntheticBuilder::upsample(size_t in, size_t like) {
  const auto made = new_value(Type::floats, channels(in));
  network_.steps.push_back({.kind = Kind::upsample,
                            .name = "upsample" + std::to_string(network_.steps.size()),
                            .inputs = {in, like},
                            .out_floats = made});
  return made;
}

size_t SyntheticBuilder::mean(size_t in) {
  const auto made = new_value(Type::floats, channels(in));
  network_.steps.push_back({.kind = Kind::mean, .name = "mean", .inputs = {in}, .out_floats = made});
  return made;
}

size_t SyntheticBuilder::block(const std::string& name, size_t x, int64_t width, int64_t stride, bool bottleneck,
                               bool floats) {
  const int64_t out = bottleneck ? 4 * width : width;
  size_t shortcut = x;
  if (stride != 1 || channels(x) != out)
    shortcut = convolution({.name = name + "downsample.0",
                            .in = x,
                            .out = out,
                            .stride = stride,
                            .bits = weight_bits_,
                            .activation = false});
  size_t y = x;
  if (bottleneck) {
    y = convolution({.name = name + "conv1", .in = y, .out = width, .bits = weight_bits_});
    y = convolution(
        {.name = name + "conv2", .in = y, .out = width, .kernel = 3, .stride = stride, .bits = weight_bits_});
  } else {
    y = convolution(
        {.name = name + "conv1", .in = y, .out = width, .kernel = 3, .stride = stride, .bits = weight_bits_});
  }
  return convolution({.name = name + (bottleneck ? "conv3" : "conv2"),
                      .in = y,
                      .out = out,
                      .kernel = bottleneck ? 1 : 3,
                      .bits = weight_bits_,
                      .residual = shortcut,
                      .floats = floats});
}

}  // namespace auxbench
