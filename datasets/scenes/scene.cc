#include "datasets/scenes/scene.h"

#include <algorithm>

#include "base/check.h"
#include "datasets/scenes/scene_background.h"
#include "datasets/scenes/scene_chance.h"
#include "datasets/scenes/scene_cutout.h"

namespace auxbench {
namespace {

constexpr int16_t kNobody = -1;
constexpr float kShadowDepth = 0.45F;
constexpr float kLeastLight = 0.12F;  // of a garment's black, so that it does not look like a hole
constexpr ShareRange kCrowdSize = {.least = 0.09F, .most = 0.16F};
constexpr CountRange kCrowdCount = {.least = 8, .most = 20};

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
    for (size_t c = 0; c < kColours; ++c) {
      float& light = rgb_[at * kColours + c];
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
    for (size_t c = i * kColours; c < (i + 1) * kColours; ++c)
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
