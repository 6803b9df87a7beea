// A convolution of floats by `float_weights`, summed in double (kernels/float_conv), and what follows from the norm on.
#pragma once

#include "deploy/operation.h"

namespace auxbench {

const Operation& float_convolution_operation();

}  // namespace auxbench
