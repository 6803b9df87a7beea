// Average precision and recall of detected boxes as COCO defines them: what pycocotools' COCOeval computes for
// iouType "bbox" with its default parameters, to the last digit.
//
//   IoU thresholds .5, .55 .. .95; 101 recall thresholds i * .01 (the product, not i / 100); areas all, small <= 32^2,
//   medium, large >= 96^2, both ends included, by the annotation's own area for truths and by w h for detections; at
//   most 1, 10 or 100 detections an image and category.
//   Detections in order of falling score, equal ones as they come, each take the free truth with the largest IoU that
//   reaches the threshold, of equal ones the later; crowds and truths outside the area range are taken last, count
//   neither way, and a crowd can be taken often (its IoU is the overlap over the detection's area).
//   Precision is made non-increasing from the right and read where recall reaches each threshold; AP is the mean over
//   IoU and recall thresholds and categories, AR that of the last recall. A category without truths does not count.
//
// Sources: Lin et al. 2014 (arXiv 1405.0312) and the published evaluation code, whose numbers the tests demand. One
// difference: an annotation whose id is 0 is an annotation here; there, a detection matched to it counts as unmatched.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace auxbench {

// x, y: the upper left corner, in pixels.
struct CocoBox {
  double x = 0, y = 0, w = 0, h = 0;
};

struct CocoAnnotation {
  int64_t id = 0, image = 0, category = 0;
  CocoBox box;
  double area = 0;  // of the segment, in square pixels
  bool crowd = false;
};

struct CocoDetection {
  int64_t image = 0, category = 0;
  CocoBox box;
  double score = 0;
};

struct CocoCategory {
  int64_t id = 0;
  std::string name;
};

struct CocoImage {
  int64_t id = 0;
  std::string file = {};          // its name; empty: not said
  int64_t width = 0, height = 0;  // as they stand in the file; 0: not said
};

struct CocoTruth {
  std::vector<CocoImage> images;
  std::vector<CocoCategory> categories;
  std::vector<CocoAnnotation> annotations;
};

// In the order in which pycocotools prints them.
enum class CocoNumber : size_t {
  ap,
  ap50,
  ap75,
  ap_small,
  ap_medium,
  ap_large,
  ar1,
  ar10,
  ar100,
  ar_small,
  ar_medium,
  ar_large
};
inline constexpr size_t kCocoNumbers = 12;

// Precision at the recall thresholds i * .01, at IoU .5 and at .75, over all areas and up to 100 detections.
inline constexpr size_t kCocoRecalls = 101;
using CocoCurves = std::array<std::array<double, kCocoRecalls>, 2>;

struct CocoCategoryResult {
  CocoCategory category;
  double ap = -1;  // over all IoU thresholds, areas and up to 100 detections; -1: no truth of this category
};

struct CocoResult {
  std::array<double, kCocoNumbers> numbers{};  // in [0, 1]; -1 where there was nothing to find
  std::vector<CocoCategoryResult> categories;  // by ascending id
  // Means over the categories that have a truth, so that each curve's mean is AP50 or AP75; -1 where none has.
  CocoCurves curves{};
  size_t unknown_categories = 0;  // detections of categories that the truth does not have: left out

  [[nodiscard]] double of(CocoNumber number) const { return numbers[static_cast<size_t>(number)]; }
};

// threads: at least 1; the result does not depend on it. Every annotation's image and category, and every detection's
// image, are among the truth's (coco_json.h sees to it); scores are no NaN.
CocoResult evaluate_coco(const CocoTruth& truth, std::span<const CocoDetection> detections, int threads = 1);

}  // namespace auxbench
