#include "runner/plan/detector_work.h"

#include <array>

#include "base/check.h"
#include "models/list/models.h"

namespace auxbench {
namespace {

constexpr int kFirstLevel = 3, kLastBackboneLevel = 5, kLastLevel = 7;

// The data sets' own shorter sides and classes.
double own_size(const CellSpec& cell) { return cell.dataset == "coco" ? 800 : 320; }
double classes(const CellSpec& cell) { return cell.dataset == "coco" ? 80 : 10; }

double anchors(const CellSpec& cell) { return cell.model.starts_with("fcos") ? 1 : 9; }

double places(double pixels, int level) { return pixels / static_cast<double>(1 << (2 * level)); }

}  // namespace

DetectorWork detector_work(const CellSpec& cell) {
  const auto* facts = find_model(cell.model);
  AUXBENCH_CHECK(facts != nullptr && cell.task == "detection", "a detector of the list");
  const double size = cell.image_size == 0 ? own_size(cell) : cell.image_size, c = cell.detector.channels;
  const double tower = cell.detector.tower, last = anchors(cell) * (classes(cell) + 4);
  const double wide = cell.width * (facts->bottleneck ? 4 : 1);
  const std::array stages = {128 * wide, 256 * wide, 512 * wide};  // C3 .. C5
  DetectorWork work = {.pixels = size * size * 4 / 3};
  for (int level = kFirstLevel; level <= kLastLevel; ++level) {
    const double here = places(work.pixels, level);
    const double pyramid = level <= kLastBackboneLevel
                               ? stages.at(static_cast<size_t>(level - kFirstLevel)) * c + 9 * c * c
                               : 9 * c * (level == kLastBackboneLevel + 1 ? stages.back() : c);
    work.macs += here * (pyramid + 9 * c * (2 * tower * c + last));
    work.layers += (level <= kLastBackboneLevel ? 2 : 1) + 2 * (tower + 1);
    work.numbers += here * (c * (2 + 2 * tower) + last);
  }
  return work;
}

}  // namespace auxbench
