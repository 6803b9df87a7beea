// Small seeded networks, step by step, for tests of what is made of them.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "deploy/integer_network.h"

namespace auxbench::test {

using Kind = IntegerStep::Kind;
using Value = IntegerValue::Type;

constexpr int64_t kClasses = 10;

// Encoders: what trained networks have.
inline FrozenEncoder thresholds(std::vector<float> table) { return {.kind = "thresholds", .table = std::move(table)}; }

inline const CodeMeaning kSign = {.largest = 1, .step = 2, .shift = -1, .scale = 0.7F};

struct Activation {
  CodeMeaning meaning;
  FrozenEncoder encoder;
};

// round(clip(v / scale, lowest, lowest + largest)), as LSQ and its kin have it.
inline Activation uniform_activation(int32_t largest, int32_t lowest, float scale, float offset = 0) {
  return {{.largest = largest, .shift = lowest, .scale = scale, .offset = offset},
          {.kind = "affine",
           .subtract = offset,
           .divide = scale,
           .lo = static_cast<float>(lowest),
           .hi = static_cast<float>(lowest + largest),
           .add = -lowest}};
}

// The same where thresholds say it: smallest floats whose quotient rounds up.
inline Activation uniform_thresholds(int32_t largest, float scale) {
  Activation made = {{.largest = largest, .scale = scale}, thresholds({})};
  for (int32_t u = 1; u <= largest; ++u) {
    float t = (static_cast<float>(u) - 0.5F) * scale;
    while (std::nearbyint(t / scale) >= static_cast<float>(u)) t = std::nextafter(t, 0.0F);
    while (std::nearbyint(t / scale) < static_cast<float>(u)) t = std::nextafter(t, 2 * t);
    made.encoder.table.push_back(t);
  }
  return made;
}

inline Activation sign_activation() { return {kSign, thresholds({0.0F})}; }

// Powers of two, whose levels are far from evenly spaced.
inline Activation uneven_activation() {
  return {{.largest = 7, .scale = 0.25F}, thresholds({0.02F, 0.11F, 0.2F, 0.45F, 0.7F, 1.3F, 2.1F})};
}

// round(n clip(v / c, 0, 1)) with a clipping bound that is no round number: PACT.
inline Activation clipped_activation(int32_t largest, float bound) {
  return {{.largest = largest, .scale = bound / static_cast<float>(largest)},
          {.kind = "affine", .divide = bound, .multiply = static_cast<float>(largest)}};
}

// round(n clip((v - b) / c, -1, 1)) with the zero in the middle.
inline Activation symmetric_activation(int32_t n, float bound, float centre) {
  return {
      {.largest = 2 * n, .shift = -n, .scale = bound / static_cast<float>(n), .offset = centre},
      {.kind = "affine", .subtract = centre, .divide = bound, .lo = -1, .multiply = static_cast<float>(n), .add = n}};
}

class Builder {
 public:
  explicit Builder(const std::string& name, int64_t channels = 3, int64_t height = 9, int64_t width = 7)
      : random_(stream_seed(1, name)) {
    network_ = {.channels = channels, .height = height, .width = width, .classes = kClasses};
    x_ = floats(channels);
    add({.kind = Kind::image, .name = "image", .out_floats = x_});
  }

  size_t floats(int64_t channels) { return value({.type = Value::floats, .channels = channels}); }
  size_t codes(int64_t channels, const CodeMeaning& meaning) {
    return value({.type = Value::codes, .channels = channels, .codes = meaning});
  }
  const IntegerValue& of(size_t index) const { return network_.values[index]; }
  size_t x() const { return x_; }

  size_t add(IntegerStep step) {
    const auto made = step.out_codes == kNoValue ? step.out_floats : step.out_codes;
    network_.steps.push_back(std::move(step));
    return made;
  }
  // Steps that make floats of as many channels out of floats.
  size_t add(Kind kind, const std::string& name, std::vector<size_t> inputs, std::vector<float> factors = {}) {
    const auto made = floats(of(inputs.front()).channels);
    return add(
        {.kind = kind, .name = name, .inputs = std::move(inputs), .factors = std::move(factors), .out_floats = made});
  }

  IntegerStep convolution(const std::string& name, size_t in, int64_t out, int64_t kernel, int64_t stride, int bits,
                          bool odd) {
    IntegerStep step = {.kind = Kind::convolution,
                        .name = name,
                        .inputs = {in},
                        .out = out,
                        .r = kernel,
                        .s = kernel,
                        .stride = stride,
                        .pad = kernel / 2,
                        .weight_bits = bits,
                        .odd_weights = odd};
    const auto taps = kernel * kernel * of(in).channels;
    for (int64_t i = 0; i < out * taps; ++i)
      step.weights.push_back(static_cast<int8_t>(below(1 << bits) - (1 << bits) / 2));
    const auto& meaning = of(in).codes;
    // Sums of about one: products of both signs mostly cancel, of weights 0 and -1 they do not.
    const double level = (odd ? 2.0 : 1.0) * (1 << bits) / 6.0 * meaning.step * (meaning.largest + 1);
    const double count = bits == 1 && !odd ? 0.3 * static_cast<double>(taps) : std::sqrt(static_cast<double>(taps));
    for (int64_t o = 0; o < out; ++o)
      step.scale.push_back(static_cast<float>((0.7 + 0.6 * random_.uniform()) / (level * count)));
    if (meaning.offset != 0)
      for (const auto scale : step.scale) step.offset_scale.push_back(scale * meaning.offset / meaning.scale);
    return step;
  }

  IntegerStep float_convolution(const std::string& name, size_t in, int64_t out, int64_t kernel, int64_t stride) {
    IntegerStep step = {.kind = Kind::float_convolution,
                        .name = name,
                        .inputs = {in},
                        .out = out,
                        .r = kernel,
                        .s = kernel,
                        .stride = stride,
                        .pad = kernel / 2};
    for (int64_t i = 0; i < out * kernel * kernel * of(in).channels; ++i)
      step.float_weights.push_back(static_cast<float>(below(65) - 32) / 64.0F);
    return step;
  }

  // Some norms fall: gamma is negative.
  void norm(IntegerStep& step) {
    for (int64_t o = 0; o < step.out; ++o) {
      step.alpha.push_back(static_cast<float>((random_.uniform() < 0.3 ? -1 : 1) * (0.6 + random_.uniform())));
      step.beta.push_back(static_cast<float>(random_.uniform() - 0.3));
    }
  }

  size_t with_codes(IntegerStep step, const Activation& activation, int64_t channels) {
    step.encoder = activation.encoder;
    step.out_codes = codes(channels, activation.meaning);
    return add(std::move(step));
  }
  size_t with_floats(IntegerStep step, int64_t channels) {
    step.out_floats = floats(channels);
    return add(std::move(step));
  }
  size_t encoded(const std::string& name, size_t in, const Activation& activation) {
    return with_codes({.kind = Kind::elementwise, .name = name, .inputs = {in}}, activation, of(in).channels);
  }

  // The first layer: float weights, a norm, codes.
  size_t stem(const Activation& activation, int64_t out = 16) {
    auto step = float_convolution("stem", x_, out, 3, 1);
    norm(step);
    for (auto& a : step.alpha) a *= 0.25F;
    return with_codes(std::move(step), activation, out);
  }

  IntegerNetwork finish(size_t logits) {
    network_.outputs = {{kLogits, logits}};
    return std::move(network_);
  }
  // No classifier.
  IntegerNetwork finish(std::vector<IntegerOutput> outputs) {
    network_.classes = 0;
    network_.outputs = std::move(outputs);
    return std::move(network_);
  }
  [[nodiscard]] size_t last_step() const { return network_.steps.size() - 1; }
  // Classifiers on codes, all exact, and on floats.
  IntegerNetwork classify(size_t features) {
    const auto coded =
        encoded("fc.input", add(Kind::mean, "mean", {features}), uniform_activation(255, -128, 1.0F / 32));
    auto step = convolution("fc", coded, kClasses, 1, 1, 8, false);
    return finish(with_floats(std::move(step), kClasses));
  }
  IntegerNetwork classify_in_floats(size_t features) {
    auto step = float_convolution("fc", add(Kind::mean, "mean", {features}), kClasses, 1, 1);
    step.alpha.assign(kClasses, 1.0F);
    for (int64_t k = 0; k < kClasses; ++k) step.beta.push_back(static_cast<float>(random_.uniform()));
    return finish(with_floats(std::move(step), kClasses));
  }

  int below(int bound) { return static_cast<int>(random_.below(static_cast<uint64_t>(bound))); }

 private:
  size_t value(const IntegerValue& made) {
    network_.values.push_back(made);
    return network_.values.size() - 1;
  }

  RandomStream random_;
  IntegerNetwork network_;
  size_t x_ = 0;
};

}  // namespace auxbench::test
