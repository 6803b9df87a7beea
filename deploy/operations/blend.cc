#include "deploy/operations/blend.h"

#include "deploy/operations/weighted_sum.h"

namespace auxbench {

const Operation& blend_operation() {
  static const WeightedSum kOperation(2, 2);
  return kOperation;
}

}  // namespace auxbench
