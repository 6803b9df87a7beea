#include "metrics/detection/matcher.h"

#include <algorithm>
#include <limits>

namespace auxbench {
namespace {

// An anchor that a truth overlaps.
struct Meeting {
  size_t anchor;
  float overlap;
};

std::vector<Meeting> meetings_of(const Corners& truth, std::span<const LevelAnchors> levels) {
  std::vector<Meeting> all;
  size_t first = 0;  // of the level
  for (const auto& level : levels) {
    const auto range = level.over(truth);
    for (int64_t y = range.y0; y < range.y1; ++y)
      for (int64_t x = range.x0; x < range.x1; ++x) {
        const auto place = static_cast<size_t>(y * level.grid().width + x);
        for (size_t a = 0; a < level.a_place(); ++a)
          if (const float overlap = iou_of(truth, level.at(place, a)); overlap > 0)
            all.push_back({first + place * level.a_place() + a, overlap});
      }
    first += level.count();
  }
  return all;
}

std::vector<int32_t> match_by_overlap(const MatchRules& rules, std::span<const LevelAnchors> levels,
                                      std::span<const Corners> truths) {
  size_t count = 0;
  for (const auto& level : levels) count += level.count();
  if (truths.empty()) return std::vector<int32_t>(count, kBackground);
  // An overlap of nothing is the first truth's.
  std::vector<float> best(count, 0.0F);
  std::vector<int32_t> owner(count, 0);
  std::vector<bool> forced(count);
  for (size_t truth = 0; truth < truths.size(); ++truth) {
    const auto meetings = meetings_of(truths[truth], levels);
    float most = 0;
    for (const auto& [anchor, overlap] : meetings) {
      most = std::max(most, overlap);
      if (overlap <= best[anchor]) continue;
      best[anchor] = overlap;
      owner[anchor] = static_cast<int32_t>(truth);
    }
    for (const auto& [anchor, overlap] : meetings)
      if (overlap == most) forced[anchor] = true;
  }
  for (size_t i = 0; i < count; ++i)
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
  return match_by_overlap(rules, levels, truths);
}

}  // namespace auxbench
