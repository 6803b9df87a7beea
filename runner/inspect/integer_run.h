// A frozen network over a test set on the integer engine, batch by batch. Torch-free.
#pragma once

#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "deploy/integer_network.h"
#include "metrics/topk.h"

namespace auxbench {

struct IntegerRun {
  TopK ranks;
  double seconds = 0;              // of the engine alone
  std::vector<std::string> plans;  // as Executor::plans
};

// Throws UserError(usage) when the network is for other images or other classes than the data set's.
IntegerRun run_integers(const IntegerNetwork& network, const Dataset& data, int threads);

}  // namespace auxbench
