// Boxes as detectors compute with them: corners in pixels, float32.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace auxbench {

struct Corners {
  float x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  bool operator==(const Corners&) const = default;
};

// A size in pixels.
struct Extent {
  int64_t height = 0, width = 0;
  bool operator==(const Extent&) const = default;
};

inline float area_of(const Corners& box) { return (box.x1 - box.x0) * (box.y1 - box.y0); }

// inter / (a + b - inter); 0 where the boxes have no area between them.
inline float iou_of(const Corners& a, const Corners& b) {
  const float width = std::max(std::min(a.x1, b.x1) - std::max(a.x0, b.x0), 0.0F);
  const float height = std::max(std::min(a.y1, b.y1) - std::max(a.y0, b.y0), 0.0F);
  const float inter = width * height, all = area_of(a) + area_of(b) - inter;
  return all > 0 ? inter / all : 0.0F;
}

inline bool is_finite(const Corners& box) {
  return std::isfinite(box.x0) && std::isfinite(box.y0) && std::isfinite(box.x1) && std::isfinite(box.y1);
}

// Cut off at the borders of an image.
inline Corners clipped(const Corners& box, const Extent& image) {
  const auto width = static_cast<float>(image.width), height = static_cast<float>(image.height);
  return {std::clamp(box.x0, 0.0F, width), std::clamp(box.y0, 0.0F, height), std::clamp(box.x1, 0.0F, width),
          std::clamp(box.y1, 0.0F, height)};
}

}  // namespace auxbench
