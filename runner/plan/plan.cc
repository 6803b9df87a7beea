#include "runner/plan/plan.h"

#include <algorithm>

namespace auxbench {

const PlannedCell* Plan::find(const std::string& id) const {
  const auto found = std::find_if(cells.begin(), cells.end(), [&](const PlannedCell& cell) { return cell.id == id; });
  return found == cells.end() ? nullptr : &*found;
}

size_t column_against(const Claim& claim, const Table& table) {
  const auto found = std::find_if(table.columns.begin(), table.columns.end(), [&](const TableColumn& column) {
    return claim.against.empty() ? column.role == "baseline" : column.id == claim.against;
  });
  return static_cast<size_t>(found - table.columns.begin());
}

}  // namespace auxbench
