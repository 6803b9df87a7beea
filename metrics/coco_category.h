// One category of COCO's evaluation (coco_eval.h): who matches whom in each image, and what its precision and recall add
// up to.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "metrics/coco_eval.h"

namespace auxbench {

inline constexpr size_t kCocoThresholds = 10, kCocoAreas = 4;

// What is summed up: which area (all, small, medium, large) with how many detections (1, 10, 100). The
// first three share one matching.
struct CocoSetting {
  size_t area, most;
};
inline constexpr std::array<CocoSetting, 6> kCocoSettings = {{{0, 100}, {1, 100}, {2, 100}, {3, 100}, {0, 1}, {0, 10}}};

// What evaluation needs of a truth and of a detection; image: any number that orders the images.
struct CocoWanted {
  size_t image = 0;
  CocoBox box;
  double area = 0;
  bool crowd = false;
};

struct CocoFound {
  size_t image = 0;
  CocoBox box;
  double score = 0;
};

// Everything about one category that the means are made of; counts: there was a truth.
struct CocoCategorySums {
  std::array<double, kCocoSettings.size()> recall{};                                  // sum over thresholds
  std::array<std::array<double, kCocoThresholds>, kCocoSettings.size()> precision{};  // sum over recall thresholds
  std::array<bool, kCocoSettings.size()> counts{};
  CocoCurves curves{};  // of the first setting; 0 beyond the recall that is reached
};

// Truths and detections of one category, in the order of their files; they are sorted by image here.
CocoCategorySums evaluate_coco_category(std::vector<CocoWanted> truths, std::vector<CocoFound> detections);

}  // namespace auxbench
