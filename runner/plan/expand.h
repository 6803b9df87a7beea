// From groups of axes to cells: product, zip, exclude, include; then the tier; then seeds.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/files/located_json.h"
#include "runner/plan/cell_spec.h"
#include "runner/plan/suite.h"

namespace auxbench {

// A cell as its group wrote it, before the tier had its say.
struct WrittenCell {
  nlohmann::json flat;  // axes given
  nlohmann::json axes;  // all axes, for matching
  std::vector<std::string> groups;
  std::string place;  // of its group
};

// Throws UserError(invalid_suite) for an empty product, a cell that a group lists twice, or more than `most` cells.
std::vector<WrittenCell> expand_groups(const LocatedJson& suite, size_t most);

[[noreturn]] void refuse_too_many(const LocatedJson& suite, const std::string& pointer, size_t most);

// The cell in one tier, one entry per seed.
std::vector<CellSpec> in_tier(const WrittenCell& written, const LocatedJson& suite, const SuiteRequest& request);

// False when the tier leaves the cell out.
bool tier_keeps(const WrittenCell& written, const LocatedJson& suite, const std::string& tier);

// Checks the keys and values of every `where`, exclude and only.
void check_match(const LocatedJson& suite, const std::string& pointer);

}  // namespace auxbench
