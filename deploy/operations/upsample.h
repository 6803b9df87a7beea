// A map brought to the size of another value, its second input, of which the size alone is read: each pixel is the
// nearest one's, by torch's rule (kernels/upsampling). Of floats, or of codes, which stay codes.
#pragma once

#include "deploy/operation.h"

namespace auxbench {

const Operation& upsample_operation();

}  // namespace auxbench
