// Evaluation of F alone: the auxiliary module is no argument here.
#pragma once

#include <cstdint>
#include <vector>

#include "datasets/sources/image_source.h"
#include "models/network.h"
#include "runner/training/experiment.h"

namespace auxbench {

struct Evaluation {
  double top1 = 0;                     // percent
  double top5 = 0;                     // percent
  std::vector<int64_t> predictions;    // first choice per image, in the source's order
  std::vector<bool> in_top1, in_top5;  // per image: whether its label is among the first one, the first five
};

// The network must be in evaluation mode.
Evaluation evaluate(Network& network, const Images& images, const ExperimentOptions& where);

}  // namespace auxbench
