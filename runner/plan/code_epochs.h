// Which versions of the code a cell's number depends on.
//
// Each part has an epoch that begins at 1 and is raised when a change of its code changes numbers; only the cells that
// use the part are then computed anew. Models, methods and aids carry theirs in their lists (models/list/models.inc,
// quantizers/methods/methods.inc, runner/plan/aids.inc); tasks and the features of a recipe have theirs here.
#pragma once

#include <map>
#include <string>

#include "runner/plan/cell_spec.h"

namespace auxbench {

// "task classification", "model resnet18", "quantizer lsq", "aid kd", "optimizer adam", "schedule step", "augment flip",
// "calibration", "warm-up" ... to its epoch, for every part that the cell uses.
std::map<std::string, int> code_epochs(const CellSpec& cell);

}  // namespace auxbench
