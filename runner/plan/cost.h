// What a cell will cost, before it is run: from records of the same kind where there are any, else from arithmetic.
#pragma once

#include <map>
#include <string>

#include "results/record.h"
#include "runner/plan/cell_spec.h"

namespace auxbench {

struct CostEstimate {
  double seconds = 0;
  bool from_history = false;  // false: arithmetic only, good to a factor of three
};

// `records`: of this machine, by id. `train_images`, `test_images`: what the cell's data come to.
CostEstimate estimate_cost(const CellSpec& cell, int64_t train_images, int64_t test_images,
                           const std::map<std::string, Record>& records);

}  // namespace auxbench
