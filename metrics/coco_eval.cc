#include "metrics/coco_eval.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/parallel.h"
#include "metrics/coco_category.h"

namespace auxbench {
namespace {

// The place of each id in ascending order: by a table where they lie together as COCO's do, else by a map.
class Ranks {
 public:
  explicit Ranks(std::vector<int64_t> ids) : count_(ids.size()) {
    std::sort(ids.begin(), ids.end());
    if (ids.empty()) return;
    first_ = ids.front();
    if (const auto span = distance(ids.back()); span < kLargestTable) table_.resize(span + 1, ids.size());
    for (size_t i = ids.size(); i > 0; --i) (table_.empty() ? map_[ids[i - 1]] : table_[distance(ids[i - 1])]) = i - 1;
  }
  // As many as there are ids for one that is none of them.
  [[nodiscard]] size_t of(int64_t id) const {
    if (table_.empty()) {
      const auto found = map_.find(id);
      return found == map_.end() ? count_ : found->second;
    }
    return distance(id) < table_.size() ? table_[distance(id)] : count_;
  }
  [[nodiscard]] size_t count() const { return count_; }

 private:
  static constexpr size_t kLargestTable = size_t{1} << 20;
  // Huge for an id below the first.
  [[nodiscard]] size_t distance(int64_t id) const { return static_cast<size_t>(id) - static_cast<size_t>(first_); }

  size_t count_;
  int64_t first_ = 0;
  std::vector<size_t> table_;
  std::unordered_map<int64_t, size_t> map_;
};

// Items of each category, in the order of the file.
template <typename Item>
using Groups = std::vector<std::vector<Item>>;

// The mean over categories that count of the sums at `thresholds` of one setting; -1 if none counts.
double mean_precision(const std::vector<CocoCategorySums>& all, size_t s, size_t first, size_t last) {
  double sum = 0, count = 0;
  for (const auto& sums : all) {
    if (!sums.counts[s]) continue;
    for (size_t threshold = first; threshold < last; ++threshold) sum += sums.precision[s][threshold];
    count += static_cast<double>((last - first) * kCocoRecalls);
  }
  return count == 0 ? -1 : sum / count;
}

double mean_recall(const std::vector<CocoCategorySums>& all, size_t s) {
  double sum = 0, count = 0;
  for (const auto& sums : all) {
    if (!sums.counts[s]) continue;
    sum += sums.recall[s];
    count += static_cast<double>(kCocoThresholds);
  }
  return count == 0 ? -1 : sum / count;
}

CocoCurves mean_curves(const std::vector<CocoCategorySums>& all) {
  CocoCurves mean{};
  double count = 0;
  for (const auto& sums : all) count += sums.counts[0] ? 1 : 0;
  for (size_t c = 0; c < mean.size(); ++c)
    for (size_t r = 0; r < kCocoRecalls; ++r) {
      for (const auto& sums : all) mean[c][r] += sums.curves[c][r];
      mean[c][r] = count == 0 ? -1 : mean[c][r] / count;
    }
  return mean;
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
  const Ranks categories(std::move(ids)), images(std::move(image_ids));

  Groups<CocoWanted> truths(categories.count());
  for (const auto& annotation : truth.annotations) {
    const size_t category = categories.of(annotation.category), image = images.of(annotation.image);
    AUXBENCH_CHECK(category < categories.count() && image < images.count(),
                   "an annotation of a known category and image");
    truths[category].push_back(
        {.image = image, .box = annotation.box, .area = annotation.area, .crowd = annotation.crowd});
  }
  std::vector<size_t> sizes(categories.count() + 1);
  for (const auto& detection : detections) ++sizes[categories.of(detection.category)];
  Groups<CocoFound> found(categories.count());
  for (size_t k = 0; k < found.size(); ++k) found[k].reserve(sizes[k]);
  for (const auto& detection : detections) {
    const size_t category = categories.of(detection.category), image = images.of(detection.image);
    if (category == categories.count()) {
      ++result.unknown_categories;
      continue;
    }
    AUXBENCH_CHECK(image < images.count() && detection.score == detection.score,
                   "a detection with a score in a known image");
    found[category].push_back({.image = image, .box = detection.box, .score = detection.score});
  }

  std::vector<CocoCategorySums> sums(result.categories.size());
  parallel_for(sums.size(), threads,
               [&](size_t k) { sums[k] = evaluate_coco_category(std::move(truths[k]), std::move(found[k])); });
  for (size_t k = 0; k < sums.size(); ++k) result.categories[k].ap = mean_precision({sums[k]}, 0, 0, kCocoThresholds);
  result.curves = mean_curves(sums);
  const auto set = [&](CocoNumber number, double value) { result.numbers[static_cast<size_t>(number)] = value; };
  set(CocoNumber::ap, mean_precision(sums, 0, 0, kCocoThresholds));
  set(CocoNumber::ap50, mean_precision(sums, 0, 0, 1));
  set(CocoNumber::ap75, mean_precision(sums, 0, 5, 6));
  set(CocoNumber::ap_small, mean_precision(sums, 1, 0, kCocoThresholds));
  set(CocoNumber::ap_medium, mean_precision(sums, 2, 0, kCocoThresholds));
  set(CocoNumber::ap_large, mean_precision(sums, 3, 0, kCocoThresholds));
  set(CocoNumber::ar1, mean_recall(sums, 4));
  set(CocoNumber::ar10, mean_recall(sums, 5));
  set(CocoNumber::ar100, mean_recall(sums, 0));
  set(CocoNumber::ar_small, mean_recall(sums, 1));
  set(CocoNumber::ar_medium, mean_recall(sums, 2));
  set(CocoNumber::ar_large, mean_recall(sums, 3));
  return result;
}

}  // namespace auxbench
