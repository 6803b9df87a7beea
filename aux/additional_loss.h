// Additional losses: a full-precision classifier behind each block that downsamples (arXiv 1903.11236v1; the replicated
// paper's table 2 calls the rows "+ Additional loss").
//
//   L = CE(F) + weight * sum_i CE(fc_i(mean over H, W of block i's output)), weight 0.01
#pragma once

#include "aux/training_aid.h"

namespace auxbench {

// Draws its weights from torch's default generator.
std::unique_ptr<TrainingAid> make_additional_loss(const Network& network, int64_t classes, double weight);

}  // namespace auxbench
