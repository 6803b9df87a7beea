// From a folder's records to what its finished cells took.
#pragma once

#include <string>
#include <vector>

#include "results/store.h"
#include "runner/plan/cost.h"

namespace auxbench {

struct History {
  std::vector<PastRun> runs;
  std::vector<std::string> warnings;  // one for each record whose spec this version cannot read: it is left out
};

// Of completed records that say how many images they saw.
History history_of(const StoredRecords& stored);

}  // namespace auxbench
