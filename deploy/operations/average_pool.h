// The mean of 2 x 2, stride 2, of floats; where a size is odd, the last row and column are averaged alone.
#pragma once

#include "deploy/operation.h"

namespace auxbench {

const Operation& average_pool_operation();

}  // namespace auxbench
