// A frozen network over a test set on the integer engine, batch by batch. Torch-free.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/sources/loader.h"
#include "deploy/executor.h"
#include "deploy/integer_network.h"

namespace auxbench {

struct IntegerRunOptions {
  int threads = 1;
  int64_t batch = 0;  // images; 0: many of one size, one with boxes, whose size is its own
};

struct IntegerRun {
  double seconds = 0;              // of the engine alone
  std::vector<std::string> plans;  // as Executor::plans, of the last batch
};

// What the engine said of a batch.
struct IntegerBatch {
  const Executor& engine;  // Executor::output() by name; images behind the first `images` are padding
  const Batch& taken;      // as the loader made it
  int64_t images = 0;

  [[nodiscard]] std::span<const float> logits() const;  // of a classifier, [images, classes]
};
using TakeBatch = std::function<void(const IntegerBatch&)>;

// Gives each batch to `take`, in the images' order. Throws UserError(usage) where the network is for other images or other
// classes than the data set's, or a classifier meets boxes or a detector labels.
IntegerRun run_integers(const IntegerNetwork& network, const Dataset& data, const IntegerRunOptions& options,
                        const TakeBatch& take);

}  // namespace auxbench
