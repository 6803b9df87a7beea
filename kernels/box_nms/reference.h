// box_nms.h as it stands there: every pair, one at a time. For tests and benchmarks.
#pragma once

#include "kernels/box_nms/box_nms.h"

namespace auxbench::box_nms {

std::vector<uint32_t> reference(const Boxes& boxes, float threshold, size_t most);

}  // namespace auxbench::box_nms
