// One results folder, several runs of one suite: a run with another --only or other seeds extends the plan that is there.
#pragma once

#include <filesystem>

#include "runner/plan/plan.h"

namespace auxbench {

// `now`, with the cells of `before` that it does not have behind its own, in their order; a cell is selected when either
// selects it. A cell that both have under another id (its data or its code changed) is the one of `now`. Entries of
// tables are united where they differ in the seed alone, else those of `now` stand. What
// `before` alone has and could not train (PlannedCell::unsupported) goes. Throws UserError(usage) as "PLACE: ..." when
// suite, tier or device class differ.
Plan extend_plan(Plan now, const Plan& before, const std::string& place);

// Extends FOLDER/plan.json, or makes it and the folder, and returns what it holds now.
Plan keep_plan(const Plan& plan, const std::filesystem::path& folder);

}  // namespace auxbench
