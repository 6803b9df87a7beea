#include "metrics/detection/matcher.h"

#include <algorithm>
#include <limits>

namespace auxbench {
namespace {

std::vector<int32_t> match_by_overlap(const MatchRules& rules, const std::vector<Corners>& anchors,
                                      std::span<const Corners> truths) {
  std::vector<float> best(anchors.size(), -1.0F), overlaps(anchors.size());
  std::vector<int32_t> owner(anchors.size(), kBackground);
  std::vector<bool> forced(anchors.size());
  for (size_t truth = 0; truth < truths.size(); ++truth) {
    float most = 0;
    for (size_t i = 0; i < anchors.size(); ++i) {
      const float overlap = iou_of(truths[truth], anchors[i]);
      overlaps[i] = overlap;
      most = std::max(most, overlap);
      if (overlap > best[i]) {
        best[i] = overlap;
        owner[i] = static_cast<int32_t>(truth);
      }
    }
    if (most <= 0) continue;
    for (size_t i = 0; i < anchors.size(); ++i)
      if (overlaps[i] == most) forced[i] = true;
  }
  for (size_t i = 0; i < anchors.size(); ++i)
    if (!forced[i] && best[i] < rules.positive) owner[i] = best[i] < rules.negative ? kBackground : kIgnored;
  return owner;
}

// How far the sides of a truth that a location of this level answers for may be away.
struct Reach {
  float from, to;
};

bool answers_for(const Corners& anchor, const Corners& truth, const Reach& reach, float radius) {
  const float x = (anchor.x0 + anchor.x1) / 2, y = (anchor.y0 + anchor.y1) / 2;
  const float away = std::max(std::abs(x - (truth.x0 + truth.x1) / 2), std::abs(y - (truth.y0 + truth.y1) / 2));
  const float sides[] = {x - truth.x0, y - truth.y0, truth.x1 - x, truth.y1 - y};
  const auto [least, most] = std::minmax_element(std::begin(sides), std::end(sides));
  return away < radius * (anchor.x1 - anchor.x0) && *least > 0 && *most > reach.from && *most < reach.to;
}

int32_t owner_of_point(const Corners& anchor, std::span<const Corners> truths, const Reach& reach, float radius) {
  float best = 0;
  int32_t owner = kBackground;
  for (size_t truth = 0; truth < truths.size(); ++truth) {
    const float quality = 1e8F - area_of(truths[truth]);
    if (!(quality > best) || !answers_for(anchor, truths[truth], reach, radius)) continue;
    best = quality;
    owner = static_cast<int32_t>(truth);
  }
  return owner;
}

std::vector<int32_t> match_by_point(const MatchRules& rules, std::span<const LevelAnchors> levels,
                                    std::span<const Corners> truths) {
  std::vector<int32_t> owner;
  for (size_t l = 0; l < levels.size(); ++l) {
    for (const auto& anchor : levels[l].all()) {
      const float size = anchor.x1 - anchor.x0;
      const Reach reach = {.from = l == 0 ? 0.0F : size * 4,
                           .to = l + 1 == levels.size() ? std::numeric_limits<float>::infinity() : size * 8};
      owner.push_back(owner_of_point(anchor, truths, reach, rules.radius));
    }
  }
  return owner;
}

}  // namespace

std::vector<int32_t> match_anchors(const MatchRules& rules, std::span<const LevelAnchors> levels,
                                   std::span<const Corners> truths) {
  if (rules.points) return match_by_point(rules, levels, truths);
  std::vector<Corners> anchors;
  for (const auto& level : levels) {
    const auto more = level.all();
    anchors.insert(anchors.end(), more.begin(), more.end());
  }
  return match_by_overlap(rules, anchors, truths);
}

}  // namespace auxbench
