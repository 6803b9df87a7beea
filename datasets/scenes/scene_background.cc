#include "datasets/scenes/scene_background.h"

#include <algorithm>
#include <cmath>

#include "datasets/scenes/scene_chance.h"

namespace auxbench {

std::vector<float> value_noise(int64_t width, int64_t height, int64_t cell, RandomStream& stream) {
  const int64_t across = width / cell + 2, down = height / cell + 2;
  std::vector<float> corners(static_cast<size_t>(across * down)), line(static_cast<size_t>(across));
  for (float& corner : corners) corner = static_cast<float>(stream.uniform());
  std::vector<float> weight(static_cast<size_t>(cell)), noise(static_cast<size_t>(width * height));
  for (int64_t i = 0; i < cell; ++i) {
    const float t = (static_cast<float>(i) + 0.5F) / static_cast<float>(cell);
    weight[static_cast<size_t>(i)] = t * t * (3 - 2 * t);
  }
  float* out = noise.data();
  for (int64_t y = 0; y < height; ++y) {
    const float* upper = corners.data() + y / cell * across;
    const float below = weight[static_cast<size_t>(y % cell)];
    for (int64_t i = 0; i < across; ++i)
      line[static_cast<size_t>(i)] = upper[i] + (upper[i + across] - upper[i]) * below;
    for (int64_t x = 0; x < width; x += cell) {
      const float left = line[static_cast<size_t>(x / cell)], rise = line[static_cast<size_t>(x / cell) + 1] - left;
      for (int64_t i = 0; i < std::min(cell, width - x); ++i) *out++ = left + rise * weight[static_cast<size_t>(i)];
    }
  }
  return noise;
}

namespace {

// Between -1 and 1 with period 1: a square wave whose steps are softened.
float wave(float t) { return std::clamp(4 * std::abs(2 * (t - std::floor(t)) - 1) - 2, -1.0F, 1.0F); }

enum class Pattern { stripes, checks, grain, gradient };

// The second texture, between -1 and 1.
std::vector<float> draw_pattern(int64_t width, int64_t height, RandomStream& stream) {
  const auto kind = static_cast<Pattern>(stream.below(4));
  if (kind == Pattern::grain) {
    auto grain = value_noise(width, height, 2, stream);
    for (float& value : grain) value = 2 * value - 1;
    return grain;
  }
  const Turn turn = draw_turn(1, stream);
  const float period = kind == Pattern::gradient ? static_cast<float>(width + height) / 2 : uniform(6, 60, stream);
  std::vector<float> pattern;
  pattern.reserve(static_cast<size_t>(width * height));
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const auto down = static_cast<float>(y), right = static_cast<float>(x);
      const float along = (right * turn.cosine + down * turn.sine) / period;
      const float across = (down * turn.cosine - right * turn.sine) / period;
      pattern.push_back(kind == Pattern::gradient ? along : wave(along));
      if (kind == Pattern::checks) pattern.back() *= wave(across);
    }
  return pattern;
}

}  // namespace

std::vector<float> draw_background(int64_t width, int64_t height, RandomStream& stream) {
  const int64_t side = std::min(width, height);
  const Colour one = draw_colour(0.2F, 0.85F, 0.4F, stream), other = draw_colour(0.2F, 0.85F, 0.4F, stream);
  const auto mix = value_noise(width, height, std::max<int64_t>(1, side / 2), stream);
  const auto clouds = value_noise(width, height, std::max<int64_t>(1, side / 9), stream);
  const auto pattern = draw_pattern(width, height, stream);
  const float depth = uniform(4, 24, stream), slope = uniform(-0.2F, 0.2F, stream);
  const float edge = uniform(-0.4F, 0.9F, stream) * static_cast<float>(height);
  std::vector<float> rgb(mix.size() * kColours);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const auto i = static_cast<size_t>(y * width + x);
      const float beyond = std::clamp(static_cast<float>(y) - edge - slope * static_cast<float>(x), 0.0F, 1.0F);
      const float share = mix[i] + (1 - 2 * mix[i]) * beyond;
      const float light = 60 * (clouds[i] - 0.5F) + depth * pattern[i];
      for (size_t c = 0; c < kColours; ++c)
        rgb[i * kColours + c] = 255 * (one[c] + (other[c] - one[c]) * share) + light;
    }
  return rgb;
}

}  // namespace auxbench
