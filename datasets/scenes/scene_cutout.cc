#include "datasets/scenes/scene_cutout.h"

#include <algorithm>
#include <cmath>

namespace auxbench {
namespace {

constexpr uint8_t kDarkBelow = 4;  // of 255: what the outside of a silhouette passes through
constexpr float kFaint = 48;       // of 255: what is darker has no edge of its own to fade from
constexpr int64_t kMargin = 2;     // empty pixels around a cut-out, for its softened edge
constexpr float kShadowShift = 0.04F;

// True where the margin is reached through dark pixels.
std::vector<uint8_t> find_outside(const std::vector<uint8_t>& light, int64_t width, int64_t height) {
  std::vector<uint8_t> outside(light.size());
  std::vector<int64_t> waiting = {0};
  outside[0] = 1;
  while (!waiting.empty()) {
    const int64_t at = waiting.back(), x = at % width, y = at / width;
    waiting.pop_back();
    const auto reach = [&](int64_t next, bool exists) {
      const auto i = static_cast<size_t>(next);
      if (!exists || outside[i] != 0 || light[i] >= kDarkBelow) return;
      outside[i] = 1;
      waiting.push_back(next);
    };
    reach(at - 1, x > 0), reach(at + 1, x + 1 < width), reach(at - width, y > 0), reach(at + width, y + 1 < height);
  }
  return outside;
}

// How much of a pixel of the silhouette is covered. Where the light fades towards the edge, it is the silhouette that
// ends within the pixel, and what lies behind the edge is as bright as the brightest of the eight neighbours.
float cover_of(const std::vector<uint8_t>& light, const std::vector<uint8_t>& outside, size_t at, size_t width) {
  uint8_t brightest = light[at], on_edge = 0;
  for (const size_t row : {at - width, at, at + width})
    for (const size_t next : {row - 1, row, row + 1}) {
      brightest = std::max(brightest, light[next]);
      on_edge |= outside[next];
    }
  return on_edge != 0 ? static_cast<float>(light[at]) / std::max(static_cast<float>(brightest), kFaint) : 1;
}

// An empty silhouette has the whole image as its box.
void find_box(const std::vector<uint8_t>& outside, Cutout& cutout) {
  int64_t left = cutout.width, right = 0, top = cutout.height, bottom = 0;
  for (int64_t y = 0; y < cutout.height; ++y)
    for (int64_t x = 0; x < cutout.width; ++x) {
      if (outside[static_cast<size_t>(y * cutout.width + x)] != 0) continue;
      left = std::min(left, x), right = std::max(right, x + 1);
      top = std::min(top, y), bottom = std::max(bottom, y + 1);
    }
  if (right == 0) left = 0, right = cutout.width, top = 0, bottom = cutout.height;
  cutout.centre_x = static_cast<float>(left + right) / 2, cutout.centre_y = static_cast<float>(top + bottom) / 2;
  cutout.box_width = static_cast<float>(right - left), cutout.box_height = static_cast<float>(bottom - top);
}

// Bilinear, without a shadow; a pixel's centre lies at half a pixel.
Texel sample(const Cutout& cutout, float u, float v) {
  const float across = u - 0.5F, down = v - 0.5F;
  if (!(across >= 0 && down >= 0)) return {};
  const auto x = static_cast<int64_t>(across), y = static_cast<int64_t>(down);
  if (x + 1 >= cutout.width || y + 1 >= cutout.height) return {};
  const float right = across - static_cast<float>(x), low = down - static_cast<float>(y);
  const auto upper = static_cast<size_t>(y * cutout.width + x), lower = upper + static_cast<size_t>(cutout.width);
  const auto mix = [&](const std::vector<float>& plane) {
    const float above = plane[upper] + (plane[upper + 1] - plane[upper]) * right;
    return above + (plane[lower] + (plane[lower + 1] - plane[lower]) * right - above) * low;
  };
  return {.cover = mix(cutout.cover), .shade = mix(cutout.shade)};
}

// A shadow falls downwards and to the right: it is the cover before its edge is sharpened, moved.
void cast_shadow(int64_t shift, Layer& layer) {
  for (int64_t i = layer.width * layer.height - 1; i >= 0; --i) {
    const bool lit = i % layer.width < shift || i / layer.width < shift;
    layer.texels[static_cast<size_t>(i)].shadow =
        lit ? 0 : layer.texels[static_cast<size_t>(i - shift * (layer.width + 1))].shadow;
  }
}

}  // namespace

Cutout cut_out(const ImageSet& garments, size_t garment) {
  Cutout cutout{.width = garments.width + 2 * kMargin, .height = garments.height + 2 * kMargin};
  std::vector<uint8_t> light(static_cast<size_t>(cutout.width * cutout.height));
  const auto plane = garments.plane(garment, 0);
  for (int64_t y = 0; y < garments.height; ++y)
    std::copy_n(plane.begin() + y * garments.width, garments.width,
                light.begin() + (y + kMargin) * cutout.width + kMargin);
  const auto outside = find_outside(light, cutout.width, cutout.height);
  for (size_t i = 0; i < light.size(); ++i) {
    const bool inside = outside[i] == 0;
    cutout.cover.push_back(inside ? cover_of(light, outside, i, static_cast<size_t>(cutout.width)) : 0);
    cutout.shade.push_back(inside ? static_cast<float>(light[i]) / 255 : 0);
  }
  find_box(outside, cutout);
  return cutout;
}

Half half_extent(const Cutout& cutout, const Pose& pose) {
  const float c = std::abs(pose.turn.cosine) * pose.scale / 2, s = std::abs(pose.turn.sine) * pose.scale / 2;
  return {.width = c * cutout.box_width + s * cutout.box_height,
          .height = s * cutout.box_width + c * cutout.box_height};
}

Layer lay(const Cutout& cutout, const Pose& pose) {
  const Half half = half_extent(cutout, pose);
  const float shift = kShadowShift * pose.scale * std::max(cutout.box_width, cutout.box_height), rim = pose.scale + 1;
  Layer layer;
  layer.left = static_cast<int64_t>(std::floor(pose.x - half.width - rim));
  layer.top = static_cast<int64_t>(std::floor(pose.y - half.height - rim));
  layer.width = static_cast<int64_t>(pose.x + half.width + rim + shift) + 1 - layer.left;
  layer.height = static_cast<int64_t>(pose.y + half.height + rim + shift) + 1 - layer.top;
  layer.texels.reserve(static_cast<size_t>(layer.width * layer.height));
  const float c = pose.turn.cosine / pose.scale, s = pose.turn.sine / pose.scale;
  for (int64_t row = 0; row < layer.height; ++row)
    for (int64_t column = 0; column < layer.width; ++column) {
      const float x = static_cast<float>(layer.left + column) + 0.5F - pose.x;
      const float y = static_cast<float>(layer.top + row) + 0.5F - pose.y;
      Texel texel = sample(cutout, cutout.centre_x + c * x + s * y, cutout.centre_y + c * y - s * x);
      if (texel.cover > 0) texel.shade /= texel.cover;
      texel.shadow = texel.cover;
      // The edge is one pixel wide, however many pixels of the picture the cut-out's last pixel fades over.
      texel.cover = std::clamp((texel.cover - 0.5F) * std::max(1.0F, pose.scale) + 0.5F, 0.0F, 1.0F);
      layer.area += is_seen(texel) ? 1 : 0;
      layer.texels.push_back(texel);
    }
  cast_shadow(static_cast<int64_t>(shift), layer);
  return layer;
}

}  // namespace auxbench
