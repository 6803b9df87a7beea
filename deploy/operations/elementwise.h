// What follows a convolution, from the norm on, without one: a norm, a residual, an activation, an encoder.
#pragma once

#include "deploy/operation.h"

namespace auxbench {

const Operation& elementwise_operation();

}  // namespace auxbench
