// Cells while they are still JSON: flat objects of axes, merged, matched, and at last read into a CellSpec.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runner/plan/cell_spec.h"

namespace auxbench {

// The cell of a flat object whose keys and values the language has checked; defaults where it is silent. Throws
// UserError(invalid_suite) starting with `place` when the axes contradict each other or something necessary is missing.
CellSpec resolve_cell(const nlohmann::json& flat, const std::string& place);

// The cell of a flat object as it stands: nothing is resolved, nothing held against anything else.
CellSpec read_cell(const nlohmann::json& object, const std::string& place);

// RFC 7386: `patch` over `target`. A stage's length is what was said last: where the patch counts a stage in iterations
// that the target counts in epochs, or the other way round, what the target counted in the old unit goes: length,
// milestones and warm-up.
void merge_axes(nlohmann::json& target, const nlohmann::json& patch);

// Every axis of the cell as a flat object, for matching; cell_to_json leaves out what is usual.
nlohmann::json axes_of(const CellSpec& cell);

// Each key of `where` agrees: nested objects key by key, `aid` as a set, a list for any other axis means any of these.
// The key "group" is held against `groups`.
bool matches(const nlohmann::json& axes, const std::vector<std::string>& groups, const nlohmann::json& where);

}  // namespace auxbench
