// Evaluation of F alone: the auxiliary module is no argument here.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <vector>

#include "datasets/dataset.h"
#include "models/network.h"

namespace auxbench {

struct Evaluation {
  double top1 = 0;                   // percent
  double top5 = 0;                   // percent
  std::vector<int64_t> predictions;  // first choice per image, in file order
};

// The network must be in evaluation mode.
Evaluation evaluate(Network& network, const Dataset& data, c10::Device device, c10::ScalarType type);

}  // namespace auxbench
