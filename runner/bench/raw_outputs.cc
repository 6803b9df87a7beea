#include "runner/bench/raw_outputs.h"

#include <algorithm>

#include "base/random.h"

namespace auxbench::bench {
namespace {

class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed) {}
  double number(double least, double most) { return least + (most - least) * random_.uniform(); }
  int64_t below(int64_t bound) { return static_cast<int64_t>(random_.below(static_cast<uint64_t>(bound))); }
  float nothing() { return static_cast<float>(number(-9, -4)); }
  float something() { return static_cast<float>(number(-2.9, 3)); }
  float delta() { return static_cast<float>(number(-0.5, 0.5)); }

 private:
  RandomStream random_;
};

RawOutputs empty_outputs(const DetectorRules& rules, const Extent& padded, int64_t classes, Draw& draw) {
  const auto anchors = static_cast<int64_t>(rules.anchors_a_place());
  RawOutputs outputs;
  for (const auto& grid : pyramid_grids(padded)) {
    RawOutputs::Level made = {.grid = grid, .classes = {}, .boxes = {}};
    made.classes.resize(made.grid.places() * static_cast<size_t>(anchors * classes));
    made.boxes.resize(made.grid.places() * static_cast<size_t>(4 * anchors));
    for (auto& logit : made.classes) logit = draw.nothing();
    for (auto& delta : made.boxes) delta = draw.delta();
    outputs.levels.push_back(std::move(made));
  }
  return outputs;
}

}  // namespace

std::vector<LevelPrediction> RawOutputs::predictions() const {
  std::vector<LevelPrediction> found;
  for (const auto& level : levels)
    found.push_back(
        {.grid = level.grid, .classes = level.classes, .boxes = level.boxes, .centreness = {}, .channels_last = true});
  return found;
}

RawOutputs crowded_outputs(const DetectorRules& rules, const Extent& padded, int64_t classes, uint64_t seed) {
  constexpr int kObjects = 100, kAnchors = 30;
  // Most things are small: half of them are found on the finest level, a quarter on the next.
  constexpr int kEighths[] = {4, 6, 7, 8};
  Draw draw(seed);
  auto outputs = empty_outputs(rules, padded, classes, draw);
  const auto anchors = static_cast<int64_t>(rules.anchors_a_place());
  for (int i = 0; i < kObjects; ++i) {
    const auto size = std::upper_bound(std::begin(kEighths), std::end(kEighths), draw.below(8)) - std::begin(kEighths);
    auto& [grid, logits, boxes] = outputs.levels[static_cast<size_t>(size)];
    const int64_t y = draw.below(grid.height), x = draw.below(grid.width), label = draw.below(classes);
    for (int j = 0; j < kAnchors; ++j) {
      const int64_t row = std::clamp<int64_t>(y + draw.below(3) - 1, 0, grid.height - 1);
      const int64_t column = std::clamp<int64_t>(x + draw.below(3) - 1, 0, grid.width - 1);
      const int64_t which = (row * grid.width + column) * anchors + draw.below(anchors);
      const int64_t said = draw.below(3) < 2 ? label : draw.below(classes);
      logits[static_cast<size_t>(which * classes + said)] = draw.something();
    }
  }
  return outputs;
}

RawOutputs full_outputs(const DetectorRules& rules, const Extent& padded, int64_t classes, uint64_t seed) {
  Draw draw(seed);
  auto outputs = empty_outputs(rules, padded, classes, draw);
  for (auto& level : outputs.levels) {
    const auto count = static_cast<int64_t>(level.classes.size());
    const auto wanted = std::max(2 * static_cast<int64_t>(rules.decode.level_most), count / 1000);
    for (int64_t i = 0; i < wanted; ++i) level.classes[static_cast<size_t>(draw.below(count))] = draw.something();
  }
  return outputs;
}

}  // namespace auxbench::bench
