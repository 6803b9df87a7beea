// Whether a cell's axes make sense together: for cells of a suite, for those that follow from them, and for cells read
// back from a file.
#pragma once

#include <string>

#include "runner/plan/cell_spec.h"

namespace auxbench {

// Throws UserError(invalid_suite) starting with `place` when axes contradict each other or something necessary is
// missing. The cell's words are ones that the language knows.
void check_cell(const CellSpec& cell, const std::string& place);

}  // namespace auxbench
