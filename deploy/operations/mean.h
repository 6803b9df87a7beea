// The mean over all pixels, summed in double and rounded once: a map of one pixel.
#pragma once

#include "deploy/operation.h"

namespace auxbench {

const Operation& mean_operation();

}  // namespace auxbench
