#include "metrics/detection/rules.h"

#include <string>

#include "base/check.h"

namespace auxbench {
namespace {

DetectorRules retinanet_detectron2() { return {.decode = {.drop_empty = true}}; }

DetectorRules retinanet_torchvision() {
  return {.anchors = {.sizes_first = false, .whole_pixels = true, .stride_of_grid = true},
          .loss = {.normaliser = Normaliser::image},
          .decode = {.most = 300, .clip_first = true}};
}

DetectorRules fcos_detectron2() {
  return {.anchors = {.strides = 1, .sizes = 1, .ratios = {1}, .offset = 0.5},
          .match = {.points = true},
          .loss = {.giou = true, .first_average = 300},
          .decode = {.score = 0.2F, .nms = 0.6F, .drop_empty = true}};
}

DetectorRules fcos_torchvision() {
  return {
      .anchors =
          {.strides = 1, .sizes = 1, .ratios = {1}, .sizes_first = false, .whole_pixels = true, .stride_of_grid = true},
      .match = {.points = true},
      .loss = {.giou = true, .normaliser = Normaliser::batch},
      .decode = {.score = 0.2F, .nms = 0.6F, .clip_first = true}};
}

}  // namespace

const DetectorRules& detector_rules(std::string_view kind, std::string_view flavour) {
  struct Row {
    std::string_view kind, flavour;
    DetectorRules rules;
  };
  static const Row kRows[] = {{"retinanet", "detectron2", retinanet_detectron2()},
                              {"retinanet", "torchvision", retinanet_torchvision()},
                              {"fcos", "detectron2", fcos_detectron2()},
                              {"fcos", "torchvision", fcos_torchvision()}};
  for (const auto& row : kRows)
    if (row.kind == kind && row.flavour == flavour) return row.rules;
  fail_check("kind and flavour", __FILE__, __LINE__,
             "a detector that exists, not " + std::string(kind) + " of " + std::string(flavour));
}

}  // namespace auxbench
