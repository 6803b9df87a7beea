// Whether a cell's axes fit its task: what only a detector has, and what no detector can have. For .cc files of this
// room.
#pragma once

#include <functional>
#include <string>

#include "runner/plan/cell_spec.h"

namespace auxbench {

// Whether images of the data set have boxes in place of one label each.
bool has_boxes(const std::string& dataset);

// Calls `refuse`, which throws, with what does not fit. Of a cell of either task.
void check_task(const CellSpec& cell, const std::function<void(const std::string& what)>& refuse);

}  // namespace auxbench
