#include "metrics/coco_category.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

namespace auxbench {
namespace {

constexpr size_t kMostDetections = 100;
constexpr std::array<size_t, 2> kCurveThresholds = {0, 5};  // IoU .5 and .75
constexpr double kLargest = 1e10;                           // square pixels
constexpr std::array<std::array<double, 2>, kCocoAreas> kAreaRanges = {
    {{0, kLargest}, {0, 32 * 32}, {32 * 32, 96 * 96}, {96 * 96, kLargest}}};

std::array<double, kCocoThresholds> iou_thresholds() {
  std::array<double, kCocoThresholds> thresholds{};
  for (size_t i = 0; i < kCocoThresholds; ++i) thresholds[i] = .5 + static_cast<double>(i) * ((.95 - .5) / 9);
  thresholds.back() = .95;
  return thresholds;
}

double overlap(const CocoBox& detection, const CocoWanted& truth) {
  const auto& t = truth.box;
  const double w = std::fmin(detection.x + detection.w, t.x + t.w) - std::fmax(detection.x, t.x);
  const double h = std::fmin(detection.y + detection.h, t.y + t.h) - std::fmax(detection.y, t.y);
  if (w <= 0 || h <= 0) return 0;
  const double common = w * h, own = detection.w * detection.h;
  return common / (truth.crowd ? own : own + t.w * t.h - common);
}

bool outside(double area, size_t range) { return area < kAreaRanges[range][0] || area > kAreaRanges[range][1]; }

// One detection's fate at every threshold, one bit each.
struct Fate {
  uint16_t matched = 0, ignored = 0;
};
constexpr uint16_t kEverywhere = (1U << kCocoThresholds) - 1;

struct Outcome {
  double score;
  size_t place;  // among its image's, from 0: the best
  std::array<Fate, kCocoAreas> fates;
};

template <typename Item, typename Before>
void sort_stably(std::vector<Item>& items, const Before& before) {
  if (!std::is_sorted(items.begin(), items.end(), before)) std::stable_sort(items.begin(), items.end(), before);
}

class CategoryEvaluation {
 public:
  // Adds an image. Truths and detections are of one category and image, in the order of their files.
  void add_image(std::span<const CocoWanted> truths, std::span<const CocoFound> detections) {
    for (size_t area = 0; area < kCocoAreas; ++area)
      present_[area] += static_cast<size_t>(
          std::count_if(truths.begin(), truths.end(), [&](const auto& truth) { return !ignored(truth, area); }));
    order_.clear();
    for (const auto& detection : detections) order_.push_back(&detection);
    sort_stably(order_, [](const auto* a, const auto* b) { return a->score > b->score; });
    if (order_.size() > kMostDetections) order_.resize(kMostDetections);
    const size_t first = outcomes_.size();
    for (size_t d = 0; d < order_.size(); ++d)
      outcomes_.push_back({.score = order_[d]->score, .place = d, .fates = {}});
    const auto fates = std::span(outcomes_).subspan(first);
    if (measure_overlaps(truths) > 0)
      for (size_t area = 0; area < kCocoAreas; ++area) match(truths, area, fates);
    for (size_t d = 0; d < order_.size(); ++d)
      for (size_t area = 0; area < kCocoAreas; ++area)
        if (auto& fate = fates[d].fates[area]; outside(order_[d]->box.w * order_[d]->box.h, area))
          fate.ignored |= static_cast<uint16_t>(kEverywhere & ~fate.matched);
  }

  // Once, after the last image.
  CocoCategorySums sums() {
    sort_stably(outcomes_, [](const auto& a, const auto& b) { return a.score > b.score; });
    CocoCategorySums sums;
    for (size_t s = 0; s < kCocoSettings.size(); ++s) accumulate(s, sums);
    return sums;
  }

 private:
  static bool ignored(const CocoWanted& truth, size_t area) { return truth.crowd || outside(truth.area, area); }

  // Returns the largest.
  double measure_overlaps(std::span<const CocoWanted> truths) {
    overlaps_.clear();
    largest_ = 0;
    for (const auto* detection : order_)
      for (const auto& truth : truths) {
        const double own = overlap(detection->box, truth);
        overlaps_.push_back(own);
        // Boxes whose areas overflow: what is no number is below no threshold.
        largest_ = own == own ? std::max(largest_, own) : std::numeric_limits<double>::infinity();
      }
    return largest_;
  }

  void match(std::span<const CocoWanted> truths, size_t area, std::span<Outcome> outcomes) {
    const size_t count = truths.size();
    // Truths that count come first.
    sorted_.clear();
    for (const bool last : {false, true})
      for (size_t t = 0; t < count; ++t)
        if (ignored(truths[t], area) == last) sorted_.push_back(t);
    size_t counting = 0;
    while (counting < count && !ignored(truths[sorted_[counting]], area)) ++counting;

    static const auto kIou = iou_thresholds();
    for (size_t threshold = 0; threshold < kCocoThresholds; ++threshold) {
      const double least = std::min(kIou[threshold], 1 - 1e-10);
      if (largest_ < least) break;  // nor does any reach the thresholds above
      const auto bit = static_cast<uint16_t>(1U << threshold);
      taken_.assign(count, false);
      for (size_t d = 0; d < outcomes.size(); ++d) {
        double best = least;
        size_t found = count;
        for (size_t place = 0; place < count; ++place) {
          const size_t t = sorted_[place];
          if (taken_[t] && !truths[t].crowd) continue;
          if (found < counting && place >= counting) break;
          const double iou = overlaps_[d * count + t];
          if (iou < best) continue;
          best = iou;
          found = place;
        }
        if (found == count) continue;
        taken_[sorted_[found]] = true;
        auto& fate = outcomes[d].fates[area];
        fate.matched |= bit;
        if (found >= counting) fate.ignored |= bit;
      }
    }
  }

  // Precision is highest, and recall grows, where a detection is right: only these places are kept, as the number of
  // wrong ones before each.
  void accumulate(size_t s, CocoCategorySums& sums) {
    const auto [area, most] = kCocoSettings[s];
    if (present_[area] == 0) return;
    sums.counts[s] = true;
    for (auto& places : wrong_before_) places.clear();
    uint32_t wrong = 0;                                     // at every threshold
    std::array<uint32_t, kCocoThresholds> also_wrong = {};  // at this one
    for (const auto& outcome : outcomes_) {
      if (outcome.place >= most) continue;
      const auto fate = outcome.fates[area];
      if (fate.matched == 0 && fate.ignored == 0) {
        ++wrong;
        continue;
      }
      for (size_t threshold = 0; threshold < kCocoThresholds; ++threshold) {
        if ((fate.ignored >> threshold & 1U) != 0) continue;
        if ((fate.matched >> threshold & 1U) != 0)
          wrong_before_[threshold].push_back(wrong + also_wrong[threshold]);
        else
          ++also_wrong[threshold];
      }
    }
    const auto present = static_cast<double>(present_[area]);
    for (size_t threshold = 0; threshold < kCocoThresholds; ++threshold) {
      sums.recall[s] += static_cast<double>(wrong_before_[threshold].size()) / present;
      const bool drawn = s == 0 && (threshold == kCurveThresholds[0] || threshold == kCurveThresholds[1]);
      auto* curve = drawn ? &sums.curves[threshold == kCurveThresholds[1] ? 1 : 0] : nullptr;
      sums.precision[s][threshold] = sum_of_precisions(wrong_before_[threshold], present, curve);
    }
  }

  // Over the recall thresholds that are reached; each goes into `curve`, where there is one.
  double sum_of_precisions(const std::vector<uint32_t>& wrong_before, double present,
                           std::array<double, kCocoRecalls>* curve) {
    const size_t count = wrong_before.size();
    precisions_.resize(count);
    double highest = 0;
    for (size_t i = count; i > 0; --i) {
      const auto right = static_cast<double>(i), wrong = static_cast<double>(wrong_before[i - 1]);
      highest = std::max(highest, right / (wrong + right + std::numeric_limits<double>::epsilon()));
      precisions_[i - 1] = highest;
    }
    double sum = 0;
    size_t i = 0;
    for (size_t r = 0; r < kCocoRecalls; ++r) {
      const double recall = static_cast<double>(r) * .01;
      while (i < count && static_cast<double>(i + 1) / present < recall) ++i;
      if (i == count) break;
      sum += precisions_[i];
      if (curve != nullptr) (*curve)[r] = precisions_[i];
    }
    return sum;
  }

  std::vector<Outcome> outcomes_;  // image by image
  std::array<size_t, kCocoAreas> present_{};
  // Room, kept from image to image.
  std::vector<const CocoFound*> order_;
  std::vector<double> overlaps_;  // [detection, truth]
  double largest_ = 0;            // of overlaps_
  std::vector<size_t> sorted_;
  std::vector<char> taken_;
  std::array<std::vector<uint32_t>, kCocoThresholds> wrong_before_;
  std::vector<double> precisions_;
};

// Those from `first` on that are of the image.
template <typename Item>
std::span<const Item> next_of(const std::vector<Item>& items, size_t first, size_t image) {
  size_t last = first;
  while (last < items.size() && items[last].image == image) ++last;
  return std::span(items).subspan(first, last - first);
}

}  // namespace

CocoCategorySums evaluate_coco_category(std::vector<CocoWanted> truths, std::vector<CocoFound> detections) {
  const auto by_image = [](const auto& a, const auto& b) { return a.image < b.image; };
  sort_stably(truths, by_image);
  sort_stably(detections, by_image);
  CategoryEvaluation evaluation;
  size_t t = 0, d = 0;
  while (t < truths.size() || d < detections.size()) {
    const size_t image = std::min(t < truths.size() ? truths[t].image : SIZE_MAX,
                                  d < detections.size() ? detections[d].image : SIZE_MAX);
    const auto own_truths = next_of(truths, t, image);
    const auto own_detections = next_of(detections, d, image);
    evaluation.add_image(own_truths, own_detections);
    t += own_truths.size();
    d += own_detections.size();
  }
  return evaluation.sums();
}

}  // namespace auxbench
