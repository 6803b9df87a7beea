// The network's input: floats, [batch][channels][h][w] as the caller has them, put into a map of the engine's.
#pragma once

#include "deploy/operation.h"

namespace auxbench {

const Operation& image_operation();

}  // namespace auxbench
