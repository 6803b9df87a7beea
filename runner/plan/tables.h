// Tables and claims of a suite: which cells stand in which row and column, and what the paper reports there.
#pragma once

#include <vector>

#include "runner/plan/expand.h"

namespace auxbench {

// A written cell with what it becomes in the chosen tier, one spec per seed.
struct TieredCell {
  const WrittenCell* written = nullptr;
  std::vector<CellSpec> seeds;
  std::vector<std::string> keys;  // of each: canonical JSON (ListedCell::key)
};

// A cell belongs to an entry when it agrees with the table's, the row's and the column's `where`, merged in this order.
// Entries name cells by key (ListedCell::key). Throws UserError(invalid_suite) when the cells of an entry differ in more than the seed.
std::vector<Table> read_tables(const LocatedJson& suite, const std::vector<TieredCell>& cells);

std::vector<Claim> read_claims(const LocatedJson& suite, const std::vector<Table>& tables);

}  // namespace auxbench
