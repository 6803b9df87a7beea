// In which order the cells of a tier are trained: a run cut short, and the report of a run under way, should hold what
// says most.
//
// A suite's `order` is a list of steps. A step takes the cells it names that no earlier step took, seed by seed and
// within a seed in the suite's order; what no step takes follows in the same way. A cell's starts and teachers come
// before it wherever it stands: whoever lists the cells sees to that. No id depends on the order.
#pragma once

#include <cstddef>
#include <vector>

#include "base/files/located_json.h"
#include "runner/plan/tables.h"

namespace auxbench {

// The cell `tiered[cell].seeds[seed]`.
struct CellPlace {
  size_t cell = 0, seed = 0;
  bool operator==(const CellPlace&) const = default;
};

// Checks what the language cannot: matches, names of tables, that a step names something, and that there are at most
// 100. Throws UserError(invalid_suite) in its place.
void check_order(const LocatedJson& suite);

// Every cell of the tier once. `tables` and `claims` are the suite's (tables.h).
std::vector<CellPlace> ordered_cells(const LocatedJson& suite, const std::vector<TieredCell>& tiered,
                                     const std::vector<Table>& tables, const std::vector<Claim>& claims);

}  // namespace auxbench
