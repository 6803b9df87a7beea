// A frozen detector's raw outputs as boxes: the same code that evaluation uses (metrics/detection/postprocess.h), so that
// equal outputs give equal boxes. Torch-free.
#pragma once

#include <cstdint>
#include <vector>

#include "datasets/sources/image_source.h"
#include "deploy/integer_network.h"
#include "metrics/coco_eval.h"
#include "metrics/detection/postprocess.h"
#include "runner/inspect/integer_run.h"

namespace auxbench {

// Whether the network says how boxes are made of its outputs.
bool is_detector(const IntegerNetwork& network);

// Throws UserError(data_missing) where a level's outputs are missing or do not belong together, or its rules are none
// that exist: called before anything else is asked of a detector from a file.
int64_t detector_classes(const IntegerNetwork& network);

// The rules that the network names.
DetectorRules rules_of(const IntegerNetwork& network);

// The boxes of each image of the batch, in the files' pixels, by falling score.
std::vector<std::vector<Detection>> find_boxes(const IntegerNetwork& network, const DetectorRules& rules,
                                               const IntegerBatch& batch);

// As COCO's files have them: ids of images and categories from the source's truth.
std::vector<CocoDetection> coco_detections(const ImageSource& images, const BoxedImage& image,
                                           const std::vector<Detection>& found);

}  // namespace auxbench
