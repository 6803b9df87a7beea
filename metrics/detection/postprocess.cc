#include "metrics/detection/postprocess.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "kernels/box_nms/box_nms.h"
#include "metrics/detection/coder.h"

namespace auxbench {
namespace {

struct Candidate {
  float score;
  uint32_t index;  // (place * anchors + anchor) * classes + class
};

bool better(const Candidate& a, const Candidate& b) {
  return a.score != b.score ? a.score > b.score : a.index < b.index;
}

float sigmoid(float x) { return 1.0F / (1.0F + std::exp(-x)); }

// A logit at or below it cannot come to a score above `score`: the rest is looked at more closely.
float least_logit(double score, bool with_centreness) {
  const double share = with_centreness ? score * score : score;
  constexpr double kSlack = 0.01;  // far more than float32's error in a sigmoid
  return share > 0 ? static_cast<float>(std::log(share / (1 - share)) - kSlack)
                   : -std::numeric_limits<float>::infinity();
}

std::vector<Candidate> candidates_of(const DecodeRules& rules, const LevelPrediction& level, size_t anchors) {
  const size_t places = level.grid.places(), channels = level.classes.size() / places, classes = channels / anchors;
  const bool with_centreness = !level.centreness.empty();
  const float least = least_logit(static_cast<double>(rules.score), with_centreness);
  std::vector<Candidate> found;
  // As they lie in memory: the order does not matter, candidates are sorted.
  for (size_t i = 0; i < level.classes.size(); ++i) {
    if (!(level.classes[i] >= least)) continue;
    const size_t place = level.channels_last ? i / channels : i % places;
    const size_t channel = level.channels_last ? i % channels : i / places;
    float score = sigmoid(level.classes[i]);
    if (with_centreness) score = std::sqrt(score * sigmoid(level.centreness[place]));
    if (!(score > rules.score)) continue;
    const size_t index = (place * anchors + channel / classes) * classes + channel % classes;
    found.push_back({score, static_cast<uint32_t>(index)});
  }
  if (found.size() > rules.level_most) {
    const auto end = found.begin() + static_cast<std::ptrdiff_t>(rules.level_most);
    std::nth_element(found.begin(), end, found.end(), better);
    found.erase(end, found.end());
  }
  std::sort(found.begin(), found.end(), better);
  return found;
}

// What non-maximum suppression reads.
struct Found {
  std::vector<Corners> boxes;
  std::vector<float> scores;
  std::vector<int32_t> labels;
};

void add_level(const DetectorRules& rules, const LevelPrediction& level, const Extent& padded, const Extent& image,
               Found& all) {
  const LevelAnchors anchors(rules.anchors, level.grid, padded);
  const size_t a_place = anchors.a_place(), places = level.grid.places();
  const size_t classes = level.classes.size() / places / a_place;
  for (const auto& candidate : candidates_of(rules.decode, level, a_place)) {
    const size_t which = candidate.index / classes, place = which / a_place, anchor = which % a_place;
    std::array<float, 4> code;
    for (size_t i = 0; i < 4; ++i) {
      const size_t channel = 4 * anchor + i;
      code[i] = level.boxes[level.channels_last ? place * 4 * a_place + channel : channel * places + place];
    }
    const auto from = anchors.at(place, anchor);
    auto box = rules.match.points ? decode_sides(from, code) : decode_deltas(from, code);
    if (!is_finite(box)) continue;
    if (rules.decode.clip_first) box = clipped(box, image);
    all.boxes.push_back(box);
    all.scores.push_back(candidate.score);
    all.labels.push_back(static_cast<int32_t>(candidate.index % classes));
  }
}

void check(const DetectorRules& rules, const LevelPrediction& level) {
  const size_t places = level.grid.places(), anchors = rules.anchors_a_place();
  AUXBENCH_CHECK(places > 0 && !level.classes.empty() && level.classes.size() % (places * anchors) == 0 &&
                     level.boxes.size() == 4 * anchors * places &&
                     (level.centreness.empty() || level.centreness.size() == places),
                 "outputs of the sizes of their level");
  AUXBENCH_CHECK(level.classes.size() <= std::numeric_limits<uint32_t>::max(), "fewer than 2^32 classes of anchors");
}

}  // namespace

std::vector<Detection> find_boxes(const DetectorRules& rules, std::span<const LevelPrediction> levels,
                                  const Extent& image, const Extent& file) {
  AUXBENCH_CHECK(!levels.empty() && image.height > 0 && image.width > 0, "a level, and an image");
  const auto padded = padded_extent(levels.front().grid);
  Found all;
  for (const auto& level : levels) {
    check(rules, level);
    add_level(rules, level, padded, image, all);
  }
  std::vector<float> corners;
  for (const auto& box : all.boxes) corners.insert(corners.end(), {box.x0, box.y0, box.x1, box.y1});
  const auto kept = box_nms::nms({.corners = corners, .scores = all.scores, .classes = all.labels}, rules.decode.nms,
                                 rules.decode.most);
  const float scale_y = static_cast<float>(file.height) / static_cast<float>(image.height);
  const float scale_x = static_cast<float>(file.width) / static_cast<float>(image.width);
  std::vector<Detection> detections;
  for (const auto i : kept) {
    const auto& seen = all.boxes[i];
    const auto box = clipped({seen.x0 * scale_x, seen.y0 * scale_y, seen.x1 * scale_x, seen.y1 * scale_y}, file);
    if (rules.decode.drop_empty && !(box.x1 > box.x0 && box.y1 > box.y0)) continue;
    detections.push_back({.label = all.labels[i], .score = all.scores[i], .box = box});
  }
  return detections;
}

}  // namespace auxbench
