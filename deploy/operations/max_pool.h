// The largest of 3 x 3, stride 2, padding 1; of floats, or of codes, which rise with what they stand for.
#pragma once

#include "deploy/operation.h"

namespace auxbench {

const Operation& max_pool_operation();

}  // namespace auxbench
