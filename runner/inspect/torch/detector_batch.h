// Images with boxes from a probe's file. For .cc files of this folder.
#pragma once

#include "metrics/detection/rules.h"
#include "runner/inspect/torch/probe_files.h"
#include "runner/tasks/task.h"

namespace auxbench {

// A detection cell's, by its model's name and its flavour.
const DetectorRules& rules_of_probe(const CellSpec& cell);

// What the weights of a detector say of the data. before: what stands before torchvision's names.
DataShape detector_shape(const CellSpec& cell, const SafeTensors& weights, const std::string& before);

// "classes.L", "boxes.L", "centreness.L": the raw outputs of level L.
void add_level(const LevelOutput& level, NamedTensors& out);

bool has_boxes(const SafeTensors& in);

// "input" [N, C, H, W], of `type`; with boxes, of image I "boxes.I" [n, 4] and "classes.I" [n]; "sizes" [N, 2]: height and
// width of each image without its padding, all of it where there are none.
TensorBatch required_detector_batch(const SafeTensors& in, const DataShape& shape, at::ScalarType type, bool boxes);

}  // namespace auxbench
