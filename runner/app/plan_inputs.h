// What a plan takes from outside the suite: the data sets of this machine, files of weights, finished cells.
#pragma once

#include <vector>

#include "datasets/dataset.h"
#include "runner/plan/make_plan.h"

namespace auxbench {

// The caller fills in device class, command and version. The answers throw UserError(data_missing) where a data set is
// damaged or a file of weights cannot be read.
PlanInputs plan_inputs(const DatasetRequest& request, std::vector<PastRun> history);

}  // namespace auxbench
