// What scenes draw from chance. Only + - * / and square roots, so that the draws are the same everywhere.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/random.h"
#include "datasets/scenes/scene.h"

namespace auxbench {

using Colour = std::array<float, kColours>;  // red, green, blue from 0 to 1

inline float uniform(float low, float high, RandomStream& stream) {
  return low + (high - low) * static_cast<float>(stream.uniform());
}

inline bool happens(float chance, RandomStream& stream) { return stream.uniform() < static_cast<double>(chance); }

inline int64_t draw(const CountRange& range, RandomStream& stream) {
  return range.least + static_cast<int64_t>(stream.below(static_cast<uint64_t>(range.most - range.least) + 1));
}

// least (most / least)^u for u of 16 random bits: the power from square roots, which are the same everywhere.
inline float draw(const ShareRange& range, RandomStream& stream) {
  float factor = range.most / range.least, share = range.least;
  for (uint64_t bits = stream.below(1 << 16), left = 16; left > 0; --left, bits >>= 1) {
    factor = std::sqrt(factor);
    if ((bits & 1) != 0) share *= factor;
  }
  return share;
}

struct Turn {
  float cosine = 1, sine = 0;
};

// By 2 atan(t) for t uniform over [-most, most]: nearly uniform over angles, and no sine is needed.
inline Turn draw_turn(float most, RandomStream& stream) {
  const float t = uniform(-most, most, stream), scale = 1 / (1 + t * t);
  return {.cosine = (1 - t * t) * scale, .sine = 2 * t * scale};
}

inline Colour draw_colour(float darkest, float lightest, float saturation, RandomStream& stream) {
  const float light = uniform(darkest, lightest, stream);
  Colour colour;
  for (float& channel : colour) channel = std::clamp(light + saturation * uniform(-0.5F, 0.5F, stream), 0.0F, 1.0F);
  return colour;
}

}  // namespace auxbench
