#include "runner/inspect/integer_run.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "base/stopwatch.h"
#include "datasets/sources/loader.h"
#include "deploy/executor.h"

namespace auxbench {
namespace {

constexpr int64_t kLargestBatch = 64;
constexpr int64_t kFloats = int64_t{1} << 22;

void check_fits(const IntegerNetwork& network, const Dataset& data) {
  const auto& shape = data.test->shape();
  if (shape.channels != network.channels || shape.height != network.height || shape.width != network.width ||
      data.test->classes() != network.classes)
    throw UserError(ExitCode::usage, "the network is for other images, or other classes, than " + data.name + "'s");
}

// Threads of its own for what comes from files; images in memory would only take time from the engine.
LoaderOptions in_order(const Images& images, int64_t batch) {
  return {.batch = batch, .shuffle = false, .workers = images->in_memory() ? 0 : available_threads(), .epochs = 1};
}

}  // namespace

IntegerRun run_integers(const IntegerNetwork& network, const Dataset& data, int threads, const TakeLogits& take) {
  check_fits(network, data);
  const auto size = data.test->shape().size();
  const int64_t batch =
      std::clamp<int64_t>(kFloats / static_cast<int64_t>(size), 1, std::min(kLargestBatch, data.test->count()));
  Executor engine(network, {.batch = batch, .threads = threads});
  BatchLoader loader(data.test, in_order(data.test, batch));
  IntegerRun run;
  run.plans = engine.plans();
  std::vector<float> padded;
  for (int64_t i = 0; i < loader.batches(); ++i) {
    const auto taken = loader.take(0, i);
    std::span<const float> images = taken.images;
    const auto count = taken.labels.size();
    if (count < static_cast<size_t>(batch)) {  // the engine takes whole batches only
      padded.assign(static_cast<size_t>(batch) * size, 0.0F);
      std::copy(images.begin(), images.end(), padded.begin());
      images = padded;
    }
    const Stopwatch watch;
    const auto logits = engine.run(images);
    run.seconds += watch.seconds();
    take(logits.first(count * static_cast<size_t>(network.classes)), taken.labels);
  }
  return run;
}

}  // namespace auxbench
