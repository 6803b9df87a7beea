#include "runner/bench/regular_boxes.h"

#include <cmath>

namespace auxbench {

std::vector<TruthBox> regular_boxes(int64_t image, int64_t side, int64_t classes) {
  constexpr double kAcross = 0.618034, kDown = 0.754878, kParts = 24;
  const auto fraction = [](double x) { return x - std::floor(x); };
  std::vector<TruthBox> boxes;
  for (int64_t j = 0; j < kRegularBoxes; ++j) {
    const int64_t number = kRegularBoxes * image + j + 1;
    const auto s = static_cast<double>(side), k = static_cast<double>(number);
    const double w = s * static_cast<double>(j + 1) / kParts;
    const double h = s * static_cast<double>(kRegularBoxes + 1 - j) / kParts;
    const double x = (s - w) * fraction(kAcross * k), y = (s - h) * fraction(kDown * k);
    boxes.push_back({.x0 = static_cast<float>(x),
                     .y0 = static_cast<float>(y),
                     .x1 = static_cast<float>(x + w),
                     .y1 = static_cast<float>(y + h),
                     .label = number % classes});
  }
  return boxes;
}

}  // namespace auxbench
