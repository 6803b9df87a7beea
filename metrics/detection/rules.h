// What the published detectors differ in, as data: RetinaNet (Lin et al. 2017, arXiv 1708.02002) and FCOS (Tian et al.
// 2019, arXiv 1904.01355; 2020, arXiv 2006.09214) as Detectron2 and torchvision build, train and read them.
//
// Everything between raw outputs and losses or boxes looks its numbers up here; nothing else asks which flavour it is.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace auxbench {

struct AnchorRules {
  double strides = 4;                        // the smallest size of a level in its own strides: 32 pixels at P3
  int sizes = 3;                             // s 2^(j / sizes), j = 0 .. sizes - 1
  std::vector<double> ratios = {0.5, 1, 2};  // height / width
  bool sizes_first = true;                   // anchor a = size * ratios + ratio; false: ratio * sizes + size
  bool whole_pixels = false;    // sizes cut off to whole pixels, corners rounded half to even, float32 throughout
  double offset = 0;            // of the first centre, in strides
  bool stride_of_grid = false;  // a level's stride is that of the grid over the padded image; false: 2^level
};

struct MatchRules {
  bool points = false;    // anchors stand for their centres (targets.h)
  float negative = 0.4F;  // IoU below which an anchor is background
  float positive = 0.5F;  // IoU from which an anchor is the truth's; between the two it is ignored
  float radius = 1.5F;    // points: sampled around a truth's centre, in strides
};

// What the sums over anchors are divided by.
enum class Normaliser {
  moving_average,  // of the batch's positive anchors: n <- .9 n + .1 max(1, positives)
  image,           // each image's own max(1, positives); the mean over images
  batch            // max(1, the batch's positives)
};

struct LossRules {
  double focal_alpha = 0.25, focal_gamma = 2;
  double smooth_l1_beta = 0;  // of the box loss, which is L1 where it is 0
  bool giou = false;          // the box loss is 1 - generalized IoU of the decoded box
  double giou_epsilon = 1e-7;
  Normaliser normaliser = Normaliser::moving_average;
  double first_average = 100;
  double average_momentum = 0.9;
};

struct DecodeRules {
  float score = 0.05F;       // a class counts above it
  size_t level_most = 1000;  // candidates of one level
  float nms = 0.5F;          // IoU above which the lesser box of a class is dropped
  size_t most = 100;         // boxes of an image
  bool clip_first = false;   // boxes are cut off at the image before they suppress each other; false: afterwards
  bool drop_empty = false;   // boxes without area in the file's pixels
};

struct DetectorRules {
  AnchorRules anchors;
  MatchRules match;
  LossRules loss;
  DecodeRules decode;

  // Anchors at one place.
  [[nodiscard]] size_t anchors_a_place() const { return static_cast<size_t>(anchors.sizes) * anchors.ratios.size(); }
};

// kind: retinanet | fcos; flavour: detectron2 | torchvision. LogicFault for others.
const DetectorRules& detector_rules(std::string_view kind, std::string_view flavour);

}  // namespace auxbench
