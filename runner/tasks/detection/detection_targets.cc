#include "runner/tasks/detection/detection_targets.h"

#include <algorithm>

#include "base/check.h"
#include "base/torch_prelude.h"
#include "metrics/detection/coder.h"

namespace auxbench {
namespace {

// The truths of one image.
struct Truths {
  std::vector<Corners> boxes;
  std::vector<int64_t> classes;
};

Truths truths_of(const at::Tensor& boxes, const at::Tensor& classes, int64_t most_classes) {
  const auto corners = boxes.to(at::kCPU, at::kFloat).contiguous();
  const auto labels = classes.to(at::kCPU, at::kLong).contiguous();
  const auto count = labels.numel();
  AUXBENCH_CHECK(corners.numel() == 4 * count, "four corners and a class of each box");
  Truths truths;
  for (int64_t i = 0; i < count; ++i) {
    const auto* box = corners.const_data_ptr<float>() + 4 * i;
    const auto label = labels.const_data_ptr<int64_t>()[i];
    AUXBENCH_CHECK(label >= 0 && label < most_classes, "a class that the detector has");
    truths.boxes.push_back({box[0], box[1], box[2], box[3]});
    truths.classes.push_back(label);
  }
  return truths;
}

// The positive anchors of one level while they are gathered.
struct Positives {
  std::vector<int64_t> image, anchor, place;
  std::vector<double> anchors, truths, codes, centreness;

  void add(bool points, int64_t of_image, size_t of_place, size_t which, const Corners& from, const Corners& truth) {
    image.push_back(of_image);
    place.push_back(static_cast<int64_t>(of_place));
    anchor.push_back(static_cast<int64_t>(which));
    append(anchors, from);
    append(truths, truth);
    const auto code = points ? encode_sides<double>(from, truth) : encode_deltas<double>(from, truth);
    codes.insert(codes.end(), code.begin(), code.end());
    if (points) centreness.push_back(centreness_of(code));
  }

  static void append(std::vector<double>& all, const Corners& box) {
    for (const float side : {box.x0, box.y0, box.x1, box.y1}) all.push_back(static_cast<double>(side));
  }
};

at::Tensor rows_of_four(const std::vector<double>& numbers) {
  return at::tensor(numbers, at::kDouble).view({std::ssize(numbers) / 4, 4});
}

// One level of a batch while its images are matched.
class LevelInTheMaking {
 public:
  LevelInTheMaking(const LevelAnchors& anchors, int64_t images, bool points)
      : anchors_(anchors),
        points_(points),
        labels_(
            at::full({images, static_cast<int64_t>(anchors.a_place()), static_cast<int64_t>(anchors.grid().places())},
                     int64_t{kBackground}, at::kLong)) {}

  // owners: of this level's anchors, as match_anchors has them. The number of positive ones is returned.
  int64_t add(int64_t image, std::span<const int32_t> owners, const Truths& truths) {
    const size_t a_place = anchors_.a_place(), places = anchors_.grid().places();
    auto* labels = labels_.mutable_data_ptr<int64_t>() + static_cast<size_t>(image) * a_place * places;
    int64_t positive = 0;
    for (size_t i = 0; i < owners.size(); ++i) {
      if (owners[i] == kBackground) continue;
      const size_t place = i / a_place, anchor = i % a_place;
      auto& label = labels[anchor * places + place];
      label = owners[i];
      if (owners[i] < 0) continue;
      const auto truth = static_cast<size_t>(owners[i]);
      label = truths.classes[truth];
      found_.add(points_, image, place, anchor, anchors_.at(place, anchor), truths.boxes[truth]);
      ++positive;
    }
    return positive;
  }

  [[nodiscard]] LevelTargets finish() const {
    return {.grid = anchors_.grid(),
            .labels = labels_,
            .image = at::tensor(found_.image, at::kLong),
            .anchor = at::tensor(found_.anchor, at::kLong),
            .place = at::tensor(found_.place, at::kLong),
            .anchors = rows_of_four(found_.anchors),
            .truths = rows_of_four(found_.truths),
            .codes = rows_of_four(found_.codes),
            .centreness = at::tensor(found_.centreness, at::kDouble)};
  }

 private:
  const LevelAnchors& anchors_;
  bool points_;
  at::Tensor labels_;
  Positives found_;
};

}  // namespace

const LevelTargets& DetectionTargets::level(int64_t number) const {
  const auto found =
      std::find_if(levels.begin(), levels.end(), [=](const auto& each) { return each.grid.level == number; });
  AUXBENCH_CHECK(found != levels.end(), "a level of the pyramid, not " + std::to_string(number));
  return *found;
}

DetectionTargets assign_targets(const DetectorRules& rules, int64_t classes, const Extent& padded,
                                const Targets& targets) {
  const auto images = std::ssize(targets.boxes);
  AUXBENCH_CHECK(images > 0 && std::ssize(targets.classes) == images, "boxes and classes of every image");
  std::vector<LevelAnchors> anchors;
  std::vector<LevelInTheMaking> levels;
  for (const auto& grid : pyramid_grids(padded)) anchors.emplace_back(rules.anchors, grid, padded);
  for (const auto& level : anchors) levels.emplace_back(level, images, rules.match.points);
  DetectionTargets assigned;
  for (int64_t n = 0; n < images; ++n) {
    const auto i = static_cast<size_t>(n);
    const auto truths = truths_of(targets.boxes[i], targets.classes[i], classes);
    const auto owners = match_anchors(rules.match, anchors, truths.boxes);
    auto rest = std::span(owners);
    int64_t positive = 0;
    for (size_t l = 0; l < levels.size(); ++l) {
      positive += levels[l].add(n, rest.first(anchors[l].count()), truths);
      rest = rest.subspan(anchors[l].count());
    }
    assigned.positives.push_back(positive);
  }
  for (const auto& level : levels) assigned.levels.push_back(level.finish());
  return assigned;
}

}  // namespace auxbench
