#include "metrics/coco_eval.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "base/check.h"
#include "base/parallel.h"

namespace auxbench {
namespace {

constexpr size_t kThresholds = 10, kRecalls = 101, kAreas = 4;
constexpr std::array<size_t, 3> kMostDetections = {1, 10, 100};
constexpr double kLargest = 1e10;  // square pixels
constexpr std::array<std::array<double, 2>, kAreas> kAreaRanges = {
    {{0, kLargest}, {0, 32 * 32}, {32 * 32, 96 * 96}, {96 * 96, kLargest}}};

// What is summed up: which area with how many detections. The first three share one matching.
struct Setting {
  size_t area, most;
};
constexpr std::array<Setting, 6> kSettings = {{{0, 2}, {1, 2}, {2, 2}, {3, 2}, {0, 0}, {0, 1}}};

std::array<double, kThresholds> iou_thresholds() {
  std::array<double, kThresholds> thresholds{};
  for (size_t i = 0; i < kThresholds; ++i) thresholds[i] = .5 + static_cast<double>(i) * ((.95 - .5) / 9);
  thresholds.back() = .95;
  return thresholds;
}

double overlap(const CocoBox& detection, const CocoAnnotation& truth) {
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

// The detections of one image and category, best first, with their fates in each area.
struct Outcome {
  double score;
  uint32_t place;  // among its image's, from 0
  std::array<Fate, kAreas> fates;
};

// Everything about one category that the means are made of; -1 where there was no truth.
struct CategorySums {
  std::array<double, kSettings.size()> recall{};                              // sum over thresholds
  std::array<std::array<double, kThresholds>, kSettings.size()> precision{};  // sum over recall thresholds
  std::array<bool, kSettings.size()> counts{};
};

class CategoryEvaluation {
 public:
  // Adds an image. Truths and detections are of one category and image, in the order of their files.
  void add_image(std::span<const CocoAnnotation* const> truths, std::span<const CocoDetection* const> detections) {
    const size_t first = outcomes_.size();
    order_.assign(detections.begin(), detections.end());
    std::stable_sort(order_.begin(), order_.end(), [](const auto* a, const auto* b) { return a->score > b->score; });
    if (order_.size() > kMostDetections.back()) order_.resize(kMostDetections.back());
    for (size_t d = 0; d < order_.size(); ++d)
      outcomes_.push_back({.score = order_[d]->score, .place = static_cast<uint32_t>(d), .fates = {}});
    overlaps_.resize(order_.size() * truths.size());
    for (size_t d = 0; d < order_.size(); ++d)
      for (size_t t = 0; t < truths.size(); ++t) overlaps_[d * truths.size() + t] = overlap(order_[d]->box, *truths[t]);
    for (size_t area = 0; area < kAreas; ++area) match(truths, area, first);
  }

  CategorySums sums() {
    CategorySums sums;
    for (size_t s = 0; s < kSettings.size(); ++s) accumulate(s, sums);
    return sums;
  }

 private:
  void match(std::span<const CocoAnnotation* const> truths, size_t area, size_t first) {
    const size_t count = truths.size();
    // Truths that count come first.
    sorted_.resize(count);
    std::iota(sorted_.begin(), sorted_.end(), size_t{0});
    const auto ignored = [&](size_t t) { return truths[t]->crowd || outside(truths[t]->area, area); };
    std::stable_partition(sorted_.begin(), sorted_.end(), [&](size_t t) { return !ignored(t); });
    size_t counting = 0;
    while (counting < count && !ignored(sorted_[counting])) ++counting;
    present_[area] += counting;

    static const auto kIou = iou_thresholds();
    for (size_t threshold = 0; threshold < kThresholds && count > 0; ++threshold) {
      const auto bit = static_cast<uint16_t>(1U << threshold);
      taken_.assign(count, false);
      for (size_t d = 0; d < order_.size(); ++d) {
        double best = std::min(kIou[threshold], 1 - 1e-10);
        size_t found = count;
        for (size_t place = 0; place < count; ++place) {
          const size_t t = sorted_[place];
          if (taken_[t] && !truths[t]->crowd) continue;
          if (found < counting && place >= counting) break;
          const double iou = overlaps_[d * count + t];
          if (iou < best) continue;
          best = iou;
          found = place;
        }
        if (found == count) continue;
        taken_[sorted_[found]] = true;
        auto& fate = outcomes_[first + d].fates[area];
        fate.matched |= bit;
        if (found >= counting) fate.ignored |= bit;
      }
    }
    for (size_t d = 0; d < order_.size(); ++d) {
      auto& fate = outcomes_[first + d].fates[area];
      if (outside(order_[d]->box.w * order_[d]->box.h, area)) fate.ignored |= static_cast<uint16_t>(~fate.matched);
    }
  }

  void accumulate(size_t s, CategorySums& sums) {
    const auto [area, most] = kSettings[s];
    const auto present = static_cast<double>(present_[area]);
    if (present_[area] == 0) return;
    sums.counts[s] = true;
    ranked_.clear();
    for (const auto& outcome : outcomes_)
      if (outcome.place < kMostDetections[most]) ranked_.push_back(&outcome);
    std::stable_sort(ranked_.begin(), ranked_.end(), [](const auto* a, const auto* b) { return a->score > b->score; });
    for (size_t threshold = 0; threshold < kThresholds; ++threshold) {
      recalls_.clear();
      precisions_.clear();
      double right = 0, wrong = 0;
      for (const auto* outcome : ranked_) {
        const auto fate = outcome->fates[area];
        const bool matched = (fate.matched >> threshold & 1U) != 0, ignored = (fate.ignored >> threshold & 1U) != 0;
        if (!ignored) (matched ? right : wrong) += 1;
        recalls_.push_back(right / present);
        precisions_.push_back(right / (wrong + right + std::numeric_limits<double>::epsilon()));
      }
      sums.recall[s] += recalls_.empty() ? 0 : recalls_.back();
      for (size_t i = precisions_.size(); i > 1; --i)
        precisions_[i - 2] = std::max(precisions_[i - 2], precisions_[i - 1]);
      double sum = 0;
      auto from = recalls_.begin();
      for (size_t r = 0; r < kRecalls; ++r) {
        from = std::lower_bound(from, recalls_.end(), static_cast<double>(r) * .01);
        if (from == recalls_.end()) break;
        sum += precisions_[static_cast<size_t>(from - recalls_.begin())];
      }
      sums.precision[s][threshold] = sum;
    }
  }

  std::vector<Outcome> outcomes_;  // image by image
  std::array<size_t, kAreas> present_{};
  // Room, kept from image to image.
  std::vector<const CocoDetection*> order_;
  std::vector<double> overlaps_;  // [detection, truth]
  std::vector<size_t> sorted_;
  std::vector<char> taken_;
  std::vector<const Outcome*> ranked_;
  std::vector<double> recalls_, precisions_;
};

// Index of each id in ascending order.
std::unordered_map<int64_t, size_t> ranks_of(std::vector<int64_t> ids) {
  std::sort(ids.begin(), ids.end());
  std::unordered_map<int64_t, size_t> ranks;
  for (size_t i = 0; i < ids.size(); ++i) ranks.emplace(ids[i], i);
  return ranks;
}

template <typename Item>
struct Entry {
  size_t image;  // its rank
  const Item* item;
};

// Items by category, and once sorted within it by image, within that in the order of the file.
template <typename Item>
using Groups = std::vector<std::vector<Entry<Item>>>;

template <typename Item>
void sort_by_image(Groups<Item>& groups) {
  for (auto& entries : groups)
    std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.image < b.image; });
}

CategorySums evaluate_category(const std::vector<Entry<CocoAnnotation>>& truths,
                               const std::vector<Entry<CocoDetection>>& detections) {
  CategoryEvaluation evaluation;
  std::vector<const CocoAnnotation*> own_truths;
  std::vector<const CocoDetection*> own_detections;
  size_t t = 0, d = 0;
  while (t < truths.size() || d < detections.size()) {
    const size_t image = std::min(t < truths.size() ? truths[t].image : SIZE_MAX,
                                  d < detections.size() ? detections[d].image : SIZE_MAX);
    own_truths.clear();
    own_detections.clear();
    for (; t < truths.size() && truths[t].image == image; ++t) own_truths.push_back(truths[t].item);
    for (; d < detections.size() && detections[d].image == image; ++d) own_detections.push_back(detections[d].item);
    evaluation.add_image(own_truths, own_detections);
  }
  return evaluation.sums();
}

// The mean over categories that count of the sums at `thresholds` of one setting; -1 if none counts.
double mean_precision(const std::vector<CategorySums>& all, size_t s, size_t first, size_t last) {
  double sum = 0, count = 0;
  for (const auto& sums : all) {
    if (!sums.counts[s]) continue;
    for (size_t threshold = first; threshold < last; ++threshold) sum += sums.precision[s][threshold];
    count += static_cast<double>((last - first) * kRecalls);
  }
  return count == 0 ? -1 : sum / count;
}

double mean_recall(const std::vector<CategorySums>& all, size_t s) {
  double sum = 0, count = 0;
  for (const auto& sums : all) {
    if (!sums.counts[s]) continue;
    sum += sums.recall[s];
    count += static_cast<double>(kThresholds);
  }
  return count == 0 ? -1 : sum / count;
}

}  // namespace

CocoResult evaluate_coco(const CocoTruth& truth, std::span<const CocoDetection> detections, int threads) {
  AUXBENCH_CHECK(threads >= 1, "at least one thread");
  CocoResult result;
  for (const auto& category : truth.categories) result.categories.push_back({.category = category});
  std::sort(result.categories.begin(), result.categories.end(),
            [](const auto& a, const auto& b) { return a.category.id < b.category.id; });
  std::vector<int64_t> ids, image_ids;
  for (const auto& category : truth.categories) ids.push_back(category.id);
  for (const auto& image : truth.images) image_ids.push_back(image.id);
  const auto category_ranks = ranks_of(std::move(ids)), image_ranks = ranks_of(std::move(image_ids));

  Groups<CocoAnnotation> truths(truth.categories.size());
  for (const auto& annotation : truth.annotations) {
    AUXBENCH_CHECK(category_ranks.contains(annotation.category) && image_ranks.contains(annotation.image),
                   "an annotation of a known category and image");
    truths[category_ranks.at(annotation.category)].push_back({image_ranks.at(annotation.image), &annotation});
  }
  Groups<CocoDetection> found(truth.categories.size());
  for (const auto& detection : detections) {
    const auto category = category_ranks.find(detection.category);
    if (category == category_ranks.end()) {
      ++result.unknown_categories;
      continue;
    }
    AUXBENCH_CHECK(image_ranks.contains(detection.image) && detection.score == detection.score,
                   "a detection with a score in a known image");
    found[category->second].push_back({image_ranks.at(detection.image), &detection});
  }
  sort_by_image(truths);
  sort_by_image(found);

  std::vector<CategorySums> sums(result.categories.size());
  parallel_for(sums.size(), threads, [&](size_t k) { sums[k] = evaluate_category(truths[k], found[k]); });
  for (size_t k = 0; k < sums.size(); ++k) result.categories[k].ap = mean_precision({sums[k]}, 0, 0, kThresholds);
  const auto set = [&](CocoNumber number, double value) { result.numbers[static_cast<size_t>(number)] = value; };
  set(CocoNumber::ap, mean_precision(sums, 0, 0, kThresholds));
  set(CocoNumber::ap50, mean_precision(sums, 0, 0, 1));
  set(CocoNumber::ap75, mean_precision(sums, 0, 5, 6));
  set(CocoNumber::ap_small, mean_precision(sums, 1, 0, kThresholds));
  set(CocoNumber::ap_medium, mean_precision(sums, 2, 0, kThresholds));
  set(CocoNumber::ap_large, mean_precision(sums, 3, 0, kThresholds));
  set(CocoNumber::ar1, mean_recall(sums, 4));
  set(CocoNumber::ar10, mean_recall(sums, 5));
  set(CocoNumber::ar100, mean_recall(sums, 0));
  set(CocoNumber::ar_small, mean_recall(sums, 1));
  set(CocoNumber::ar_medium, mean_recall(sums, 2));
  set(CocoNumber::ar_large, mean_recall(sums, 3));
  return result;
}

}  // namespace auxbench
