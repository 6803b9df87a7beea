// A digit of codes u up to 15: bit u of `digit_mask`, as codes of one bit. What LQ-Nets' bases are taken apart by.
#pragma once

#include "deploy/operation.h"

namespace auxbench {

const Operation& digit_operation();

}  // namespace auxbench
