// Additional losses: a full-precision head of the task's behind each block that downsamples (arXiv 1903.11236v1; the
// replicated paper's table 2 calls the rows "+ Additional loss").
//
//   L = L_task(F) + weight * sum_i L_task(head_i(ReLU(block i's output))), weight 0.01
#pragma once

#include "aux/training_method.h"

namespace auxbench {

// Draws its weights from torch's default generator. Its loss is "additional_loss", the sum over blocks.
std::unique_ptr<TrainingMethod> make_additional_loss(const Network& network, const HeadMaker& make_head, double weight);

}  // namespace auxbench
