// out = factors[0] input_0 + factors[1] input_1: a weighted sum of two.
#pragma once

#include "deploy/operation.h"

namespace auxbench {

const Operation& blend_operation();

}  // namespace auxbench
