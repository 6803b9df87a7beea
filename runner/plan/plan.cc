#include "runner/plan/plan.h"

#include <algorithm>

namespace auxbench {

const PlannedCell* Plan::find(const std::string& id) const {
  const auto found = std::find_if(cells.begin(), cells.end(), [&](const PlannedCell& cell) { return cell.id == id; });
  return found == cells.end() ? nullptr : &*found;
}

}  // namespace auxbench
