// Between a detector's four numbers an anchor and a box.
//
//   deltas  dx = (cx - ax) / aw, dy = (cy - ay) / ah, dw = log(w / aw), dh = log(h / ah)   of centre and size; decoded
//           with dw and dh at most log(1000 / 16), as exp(dw) aw and dx aw + ax  (weights 1 1 1 1)
//   sides   l t r b = (ax - x0, ay - y0, x1 - ax, y1 - ay) / anchor's width and height; decoded behind a ReLU
//
// Boxes are encoded in the type that losses compute in, decoded in float32, operation by operation as written here.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "metrics/detection/corners.h"

namespace auxbench {

// log(1000 / 16): of a box 62.5 times as wide or tall as its anchor.
inline constexpr double kLargestDelta = 4.135166556742356;

// A box of no area has no logarithm: its code is not finite.
template <typename Real>
std::array<Real, 4> encode_deltas(const Corners& anchor, const Corners& box) {
  const auto size = [](float low, float high) { return static_cast<Real>(high) - static_cast<Real>(low); };
  const Real aw = size(anchor.x0, anchor.x1), ah = size(anchor.y0, anchor.y1);
  const Real ax = static_cast<Real>(anchor.x0) + Real(0.5) * aw, ay = static_cast<Real>(anchor.y0) + Real(0.5) * ah;
  const Real w = size(box.x0, box.x1), h = size(box.y0, box.y1);
  const Real cx = static_cast<Real>(box.x0) + Real(0.5) * w, cy = static_cast<Real>(box.y0) + Real(0.5) * h;
  return {(cx - ax) / aw, (cy - ay) / ah, std::log(w / aw), std::log(h / ah)};
}

inline Corners decode_deltas(const Corners& anchor, const std::array<float, 4>& code) {
  constexpr auto kLargest = static_cast<float>(kLargestDelta);
  const float aw = anchor.x1 - anchor.x0, ah = anchor.y1 - anchor.y0;
  const float ax = anchor.x0 + 0.5F * aw, ay = anchor.y0 + 0.5F * ah;
  const float cx = code[0] * aw + ax, cy = code[1] * ah + ay;
  const float w = std::exp(std::min(code[2], kLargest)) * aw, h = std::exp(std::min(code[3], kLargest)) * ah;
  return {cx - 0.5F * w, cy - 0.5F * h, cx + 0.5F * w, cy + 0.5F * h};
}

template <typename Real>
std::array<Real, 4> encode_sides(const Corners& anchor, const Corners& box) {
  const auto real = [](float value) { return static_cast<Real>(value); };
  const Real ax = Real(0.5) * (real(anchor.x0) + real(anchor.x1)), ay = Real(0.5) * (real(anchor.y0) + real(anchor.y1));
  const Real w = real(anchor.x1) - real(anchor.x0), h = real(anchor.y1) - real(anchor.y0);
  return {(ax - real(box.x0)) / w, (ay - real(box.y0)) / h, (real(box.x1) - ax) / w, (real(box.y1) - ay) / h};
}

inline Corners decode_sides(const Corners& anchor, const std::array<float, 4>& code) {
  const float ax = 0.5F * (anchor.x0 + anchor.x1), ay = 0.5F * (anchor.y0 + anchor.y1);
  const float w = anchor.x1 - anchor.x0, h = anchor.y1 - anchor.y0;
  return {ax - std::max(code[0], 0.0F) * w, ay - std::max(code[1], 0.0F) * h, ax + std::max(code[2], 0.0F) * w,
          ay + std::max(code[3], 0.0F) * h};
}

// FCOS's centre-ness of a location inside a box: sqrt(min(l, r) / max(l, r) * min(t, b) / max(t, b)), 1 at the centre.
template <typename Real>
Real centreness_of(const std::array<Real, 4>& sides) {
  const auto [l, t, r, b] = sides;
  return std::sqrt(std::min(l, r) / std::max(l, r) * (std::min(t, b) / std::max(t, b)));
}

}  // namespace auxbench
