// A frozen network over a test set on the integer engine, batch by batch. Torch-free.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "deploy/integer_network.h"

namespace auxbench {

struct IntegerRun {
  double seconds = 0;              // of the engine alone
  std::vector<std::string> plans;  // as Executor::plans
};

// Gets each batch in the images' order: logits [images, classes] and one label an image.
using TakeLogits = std::function<void(std::span<const float> logits, std::span<const int64_t> labels)>;

// Throws UserError(usage) when the network is for other images or other classes than the data set's.
IntegerRun run_integers(const IntegerNetwork& network, const Dataset& data, int threads, const TakeLogits& take);

}  // namespace auxbench
