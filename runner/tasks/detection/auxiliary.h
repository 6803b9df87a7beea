// The auxiliary modules beside a detector: what stands on the ends of their paths, and which of them a cell has.
//
// The layers on the ends are 3x3 convolutions with a bias, at full precision, named, shaped and started as the detector's
// own last layers in both flavours: weights normal of deviation 0.01, biases 0, but for the classes' -log(99), so that
// at first every class has probability 0.01 everywhere and background does not swamp the focal loss.
#pragma once

#include <memory>

#include "aux/detector_method.h"
#include "runner/plan/cell_spec.h"

namespace auxbench {

// "classification_head" with cls_logits [A K, channels, 3, 3], "regression_head" with bbox_reg [4 A, ...] and, where the
// detector has a centre-ness, bbox_ctrness [1, ...].
LevelHeadMaker detector_heads(const DetectorFacts& facts);

// The module of a cell with aid auxi. Throws UserError for auxi.norms separate: the modules read the one pass that the
// detector makes. Frozen norms and group norms have no second statistics to keep, and the pass would cost as much again
// as the detector.
std::unique_ptr<TrainingMethod> make_detection_auxiliary(const CellSpec& cell, const Network& network);

}  // namespace auxbench
