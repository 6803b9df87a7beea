#include "datasets/scene.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"

namespace auxbench {
namespace {

constexpr size_t kChannels = 3;
constexpr int16_t kNobody = -1;
constexpr uint8_t kDarkBelow = 4;  // of 255: what the outside of a silhouette passes through
constexpr float kFaint = 48;       // of 255: what is darker has no edge of its own to fade from
constexpr int64_t kMargin = 2;     // empty pixels around a cut-out, for its softened edge
constexpr float kShadowShift = 0.04F, kShadowDepth = 0.45F;
constexpr float kLeastLight = 0.12F;  // of a garment's black, so that it does not look like a hole
constexpr ShareRange kCrowdSize = {.least = 0.09F, .most = 0.16F};
constexpr CountRange kCrowdCount = {.least = 8, .most = 20};

using Colour = std::array<float, kChannels>;

float uniform(float low, float high, RandomStream& stream) {
  return low + (high - low) * static_cast<float>(stream.uniform());
}

bool happens(float chance, RandomStream& stream) { return stream.uniform() < static_cast<double>(chance); }

int64_t draw(const CountRange& range, RandomStream& stream) {
  return range.least + static_cast<int64_t>(stream.below(static_cast<uint64_t>(range.most - range.least) + 1));
}

// least (most / least)^u for u of 16 random bits: the power from square roots, which are the same everywhere.
float draw(const ShareRange& range, RandomStream& stream) {
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
Turn draw_turn(float most, RandomStream& stream) {
  const float t = uniform(-most, most, stream), scale = 1 / (1 + t * t);
  return {.cosine = (1 - t * t) * scale, .sine = 2 * t * scale};
}

Colour draw_colour(float darkest, float lightest, float saturation, RandomStream& stream) {
  const float light = uniform(darkest, lightest, stream);
  Colour colour;
  for (float& channel : colour) channel = std::clamp(light + saturation * uniform(-0.5F, 0.5F, stream), 0.0F, 1.0F);
  return colour;
}

// Value noise over [0, 1): random at the corners of square cells, smoothly changing in between.
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

// Red, green, blue from 0 to 255, row by row: two colours that change places at a slanting line like a table's edge.
std::vector<float> draw_background(int64_t width, int64_t height, RandomStream& stream) {
  const int64_t side = std::min(width, height);
  const Colour one = draw_colour(0.2F, 0.85F, 0.4F, stream), other = draw_colour(0.2F, 0.85F, 0.4F, stream);
  const auto mix = value_noise(width, height, std::max<int64_t>(1, side / 2), stream);
  const auto clouds = value_noise(width, height, std::max<int64_t>(1, side / 9), stream);
  const auto pattern = draw_pattern(width, height, stream);
  const float depth = uniform(4, 24, stream), slope = uniform(-0.2F, 0.2F, stream);
  const float edge = uniform(-0.4F, 0.9F, stream) * static_cast<float>(height);
  std::vector<float> rgb(mix.size() * kChannels);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const auto i = static_cast<size_t>(y * width + x);
      const float beyond = std::clamp(static_cast<float>(y) - edge - slope * static_cast<float>(x), 0.0F, 1.0F);
      const float share = mix[i] + (1 - 2 * mix[i]) * beyond;
      const float light = 60 * (clouds[i] - 0.5F) + depth * pattern[i];
      for (size_t c = 0; c < kChannels; ++c)
        rgb[i * kChannels + c] = 255 * (one[c] + (other[c] - one[c]) * share) + light;
    }
  return rgb;
}

// An image's silhouette with a margin. `cover` is below 1 where the silhouette fills a pixel in part. `shade` is the
// light of what is covered times `cover`: the two are interpolated together and divided afterwards, so that a garment
// does not darken towards its edge.
struct Cutout {
  int64_t width = 0, height = 0;
  std::vector<float> cover, shade;
  float centre_x = 0, centre_y = 0, box_width = 0, box_height = 0;  // of the silhouette
};

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

struct Pose {
  float x = 0, y = 0;  // where the middle of the silhouette's box comes to lie, in pixels of the picture
  float scale = 1;     // pixels of the picture for one of the cut-out
  Turn turn;
};

// What a garment does to one pixel of the picture.
struct Texel {
  float cover = 0, shade = 0, shadow = 0;
};

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

// A garment in its pose: for a rectangle of the picture, which it may leave.
struct Layer {
  int64_t left = 0, top = 0, width = 0, height = 0;
  std::vector<Texel> texels;
  int64_t area = 0;  // pixels of the silhouette, wherever they lie
};

bool is_seen(const Texel& texel) { return texel.cover >= 0.5F; }

struct Half {
  float width = 0, height = 0;
};

// Half the sides of the box around the silhouette's turned box.
Half half_extent(const Cutout& cutout, const Pose& pose) {
  const float c = std::abs(pose.turn.cosine) * pose.scale / 2, s = std::abs(pose.turn.sine) * pose.scale / 2;
  return {.width = c * cutout.box_width + s * cutout.box_height,
          .height = s * cutout.box_width + c * cutout.box_height};
}

// A shadow falls downwards and to the right: it is the cover before its edge is sharpened, moved.
void cast_shadow(int64_t shift, Layer& layer) {
  for (int64_t i = layer.width * layer.height - 1; i >= 0; --i) {
    const bool lit = i % layer.width < shift || i / layer.width < shift;
    layer.texels[static_cast<size_t>(i)].shadow =
        lit ? 0 : layer.texels[static_cast<size_t>(i - shift * (layer.width + 1))].shadow;
  }
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

// What is known of an object while others are painted over it.
struct Claim {
  int64_t label = 0;
  bool crowd = false;
  int64_t whole = 0, seen = 0;  // pixels

  [[nodiscard]] int64_t least() const { return std::max(kLeastVisible, (whole + 3) / 4); }
};

class Painter {
 public:
  Painter(const ImageSet& garments, const SceneStyle& style, RandomStream& stream)
      : garments_(garments),
        style_(style),
        stream_(stream),
        width_(draw(style.width, stream)),
        height_(draw(style.height, stream)),
        rgb_(draw_background(width_, height_, stream)),
        owner_(static_cast<size_t>(width_ * height_), kNobody) {}

  void paint_crowd();
  void paint_garment(bool first);
  Scene finish() { return {.picture = develop(), .objects = describe()}; }

 private:
  size_t draw_garment(std::optional<int64_t> label);
  Pose draw_pose(const Cutout& cutout, const ShareRange& size);
  float draw_place(float half, int64_t length, int cut);
  bool add(const Cutout& cutout, const Pose& pose, const Claim& claim);
  [[nodiscard]] bool leaves_enough(const Layer& layer, size_t owner) const;
  void blend(const Layer& layer, size_t owner);
  template <typename Visit>
  void for_each_pixel(const Layer& layer, Visit visit) const;
  [[nodiscard]] std::vector<SceneObject> describe() const;
  Raster develop();

  const ImageSet& garments_;
  const SceneStyle& style_;
  RandomStream& stream_;
  int64_t width_, height_;
  std::vector<float> rgb_;
  std::vector<int16_t> owner_;  // whose pixel it is
  std::vector<Claim> claims_;
};

size_t Painter::draw_garment(std::optional<int64_t> label) {
  const auto& labels = garments_.labels;
  const auto count = label ? static_cast<size_t>(std::count(labels.begin(), labels.end(), *label)) : labels.size();
  AUXBENCH_CHECK(count > 0, "a garment of the class that is asked for");
  size_t left = stream_.below(count);
  if (!label) return left;
  size_t at = 0;
  for (; labels[at] != *label || left > 0; ++at)
    if (labels[at] == *label) --left;
  return at;
}

// The middle of what is 2 `half` long: on a stretch that begins at 0. `cut`: -1 where its beginning cuts, 1 its end.
float Painter::draw_place(float half, int64_t length, int cut) {
  const auto end = static_cast<float>(length);
  const float beyond = cut == 0 ? 0 : uniform(0.15F, 0.5F, stream_) * 2 * half;
  if (cut != 0) return cut < 0 ? half - beyond : end - half + beyond;
  return 2 * half < end ? uniform(half, end - half, stream_) : end / 2;
}

Pose Painter::draw_pose(const Cutout& cutout, const ShareRange& size) {
  const float side = static_cast<float>(std::min(width_, height_)) * draw(size, stream_);
  Pose pose{.scale = side / std::max(cutout.box_width, cutout.box_height)};
  pose.turn = draw_turn(happens(0.2F, stream_) ? 1 : 0.268F, stream_);  // 0.268 is the tangent of 15 degrees
  const uint64_t edge = happens(style_.truncation_chance, stream_) ? stream_.below(4) : 4;
  const Half half = half_extent(cutout, pose);
  pose.x = draw_place(half.width, width_, edge == 0 ? -1 : edge == 1 ? 1 : 0);
  pose.y = draw_place(half.height, height_, edge == 2 ? -1 : edge == 3 ? 1 : 0);
  return pose;
}

template <typename Visit>
void Painter::for_each_pixel(const Layer& layer, Visit visit) const {
  const int64_t left = std::max<int64_t>(0, layer.left), right = std::min(width_, layer.left + layer.width);
  const int64_t top = std::max<int64_t>(0, layer.top), bottom = std::min(height_, layer.top + layer.height);
  for (int64_t y = top; y < bottom; ++y)
    for (int64_t x = left; x < right; ++x)
      visit(static_cast<size_t>(y * width_ + x),
            layer.texels[static_cast<size_t>((y - layer.top) * layer.width + x - layer.left)]);
}

bool Painter::leaves_enough(const Layer& layer, size_t owner) const {
  std::vector<int64_t> lost(claims_.size());
  int64_t seen = 0;
  for_each_pixel(layer, [&](size_t at, const Texel& texel) {
    if (!is_seen(texel)) return;
    ++seen;
    if (owner_[at] != kNobody) ++lost[static_cast<size_t>(owner_[at])];
  });
  if (seen < Claim{.whole = layer.area}.least()) return false;
  for (size_t i = 0; i < claims_.size(); ++i)
    if (i != owner && claims_[i].seen - lost[i] < claims_[i].least()) return false;
  return true;
}

void Painter::blend(const Layer& layer, size_t owner) {
  const Colour tint = draw_colour(0.45F, 1, 0.7F, stream_);
  for_each_pixel(layer, [&](size_t at, const Texel& texel) {
    const float under = (1 - texel.cover) * (1 - kShadowDepth * texel.shadow);
    const float over = 255 * texel.cover * (kLeastLight + (1 - kLeastLight) * texel.shade);
    for (size_t c = 0; c < kChannels; ++c) {
      float& light = rgb_[at * kChannels + c];
      light = light * under + tint[c] * over;
    }
    if (!is_seen(texel)) return;
    if (owner_[at] != kNobody) --claims_[static_cast<size_t>(owner_[at])].seen;
    ++claims_[owner].seen;
    owner_[at] = static_cast<int16_t>(owner);
  });
}

// Adds to the last object where that is the same crowd. False, and nothing happens, where it may not be painted so.
bool Painter::add(const Cutout& cutout, const Pose& pose, const Claim& claim) {
  const Layer layer = lay(cutout, pose);
  const bool joins = claim.crowd && !claims_.empty();
  const size_t owner = joins ? claims_.size() - 1 : claims_.size();
  if (!leaves_enough(layer, owner)) return false;
  if (!joins) claims_.push_back(claim);
  blend(layer, owner);
  claims_[owner].whole = claim.crowd ? claims_[owner].seen : layer.area;
  return true;
}

void Painter::paint_garment(bool first) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const size_t garment = draw_garment(first ? style_.first_label : std::nullopt);
    const Cutout cutout = cut_out(garments_, garment);
    const Pose pose = draw_pose(cutout, first ? style_.first_size : style_.other_size);
    if (add(cutout, pose, {.label = garments_.labels[garment]})) return;
  }
}

void Painter::paint_crowd() {
  const int64_t label = garments_.labels[draw_garment(std::nullopt)], count = draw(kCrowdCount, stream_);
  const auto shorter = static_cast<float>(std::min(width_, height_));
  const float reach = shorter * kCrowdSize.least * std::sqrt(static_cast<float>(count)) / 2;
  const float x = draw_place(reach, width_, 0), y = draw_place(reach, height_, 0);
  for (int64_t i = 0; i < count; ++i) {
    const Cutout cutout = cut_out(garments_, draw_garment(label));
    Pose pose = draw_pose(cutout, kCrowdSize);
    pose.x = x + uniform(-reach, reach, stream_);
    pose.y = y + uniform(-reach, reach, stream_);
    add(cutout, pose, {.label = label, .crowd = true});
  }
}

std::vector<SceneObject> Painter::describe() const {
  std::vector<SceneObject> objects;
  for (const Claim& claim : claims_)
    objects.push_back({.label = claim.label, .x = width_, .y = height_, .area = claim.seen, .crowd = claim.crowd});
  std::vector<int64_t> right(objects.size()), bottom(objects.size()), end(objects.size());  // of what is seen so far
  for (int64_t x = 0; x < width_; ++x)
    for (int64_t y = 0; y < height_; ++y) {
      const int16_t owner = owner_[static_cast<size_t>(y * width_ + x)];
      if (owner == kNobody) continue;
      const auto i = static_cast<size_t>(owner);
      const int64_t at = x * height_ + y;
      auto& object = objects[i];
      if (object.runs.empty() || at != end[i])
        object.runs.insert(object.runs.end(), {static_cast<uint32_t>(at - end[i]), 0});
      ++object.runs.back();
      object.x = std::min(object.x, x), right[i] = x + 1;
      object.y = std::min(object.y, y), bottom[i] = std::max(bottom[i], y + 1), end[i] = at + 1;
    }
  for (size_t i = 0; i < objects.size(); ++i) {
    objects[i].width = right[i] - objects[i].x, objects[i].height = bottom[i] - objects[i].y;
    const int64_t left = width_ * height_ - end[i];
    if (left > 0) objects[i].runs.push_back(static_cast<uint32_t>(left));
  }
  return objects;
}

// Bytes. Over everything lies the roughness of cloth and the grain of a sensor, the same for all three colours.
Raster Painter::develop() {
  Raster picture(width_, height_);
  const auto cloth = value_noise(width_, height_, 3, stream_);
  const float roughness = uniform(10, 50, stream_), grain = uniform(5, 20, stream_) / 65536;
  uint64_t bits = 0;
  for (size_t i = 0; i < owner_.size(); ++i, bits >>= 16) {
    if (i % 4 == 0) bits = stream_.next();
    const float noise = grain * (static_cast<float>(bits & 0xffff) - 32768) + roughness * (cloth[i] - 0.5F);
    for (size_t c = i * kChannels; c < (i + 1) * kChannels; ++c)
      picture.rgb[c] = static_cast<uint8_t>(std::clamp(rgb_[c] + noise + 0.5F, 0.0F, 255.0F));
  }
  return picture;
}

}  // namespace

Scene paint_scene(const ImageSet& garments, const SceneStyle& style, RandomStream& stream) {
  check_image_set(garments);
  AUXBENCH_CHECK(garments.channels == 1, "grey garments");
  const auto is_range = [](const auto& range, auto lowest) {
    return range.least >= lowest && range.least <= range.most;
  };
  AUXBENCH_CHECK(is_range(style.width, 1) && is_range(style.height, 1), "ranges of sides");
  AUXBENCH_CHECK(is_range(style.garments, 0) && style.garments.most < 1000, "a range of garments");
  AUXBENCH_CHECK(is_range(style.first_size, 0.001F) && is_range(style.other_size, 0.001F), "ranges of sizes");
  Painter painter(garments, style, stream);
  const int64_t count = draw(style.garments, stream);
  if (happens(style.crowd_chance, stream)) painter.paint_crowd();
  for (int64_t i = 0; i < count; ++i) painter.paint_garment(i == 0);
  return painter.finish();
}

}  // namespace auxbench
