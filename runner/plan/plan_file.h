// plan.json: the plan in a results folder, so that its records can be read without suite, data and device.
//
// {"schema_version": 1, "version": "0.1.0", "suite": ..., "cells": [{"id": ..., "spec": ..., "needs": [...], ...}, ...],
//  "tables": [...], "claims": [...]}. Numbers that are 0, flags that are usual and empty texts and lists are left out.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "runner/plan/plan.h"

namespace auxbench {

inline constexpr int kPlanSchema = 1;

nlohmann::json plan_to_json(const Plan& plan);

// Strict: every key known and of its type, ids unique and fit for a folder's name, each cell behind what it needs, tables
// and claims about what there is. Throws UserError(data_missing) as "PLACE: /cells/3/id: what is wrong"; a plan of
// another schema is named as such.
Plan plan_from_json(const nlohmann::json& json, const std::string& place);

// One of its cells, likewise; that what it needs stands before it is checked by plan_from_json alone.
nlohmann::json planned_cell_to_json(const PlannedCell& cell);
PlannedCell planned_cell_from_json(const nlohmann::json& json, const std::string& place);

// Likewise, of text that need not be JSON.
Plan parse_plan(const std::string& text, const std::string& place);

// FOLDER/plan.json; none when there is no such file.
std::optional<Plan> read_plan(const std::filesystem::path& folder);

// Replaces FOLDER/plan.json, whole or not at all.
void write_plan(const Plan& plan, const std::filesystem::path& folder);

}  // namespace auxbench
