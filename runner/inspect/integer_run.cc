#include "runner/inspect/integer_run.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "base/stopwatch.h"
#include "runner/inspect/integer_boxes.h"

namespace auxbench {
namespace {

constexpr int64_t kLargestBatch = 64;
constexpr int64_t kFloats = int64_t{1} << 22;

[[noreturn]] void refuse(const std::string& what) { throw UserError(ExitCode::usage, what); }

void check_fits(const IntegerNetwork& network, const Dataset& data) {
  const auto& shape = data.test->shape();
  if (is_detector(network) != data.test->boxed())
    refuse(is_detector(network) ? "the network is a detector, and " + data.name + "'s images have no boxes"
                                : "the network is no detector, and " + data.name + "'s images have boxes");
  // A detector's images may have any size.
  const bool fits = is_detector(network) || (shape.height == network.height && shape.width == network.width);
  const int64_t classes = is_detector(network) ? detector_classes(network) : network.classes;
  if (!fits || shape.channels != network.channels || data.test->classes() != classes)
    refuse("the network is for other images, or other classes, than " + data.name + "'s");
}

int64_t batch_of(const Images& images, int64_t asked) {
  if (asked == 0) asked = images->boxed() ? 1 : kFloats / static_cast<int64_t>(images->shape().size());
  return std::clamp<int64_t>(asked, 1, std::min(kLargestBatch, images->count()));
}

// Threads of its own for what comes from files; images in memory would only take time from the engine.
LoaderOptions in_order(const Images& images, int64_t batch) {
  return {.batch = batch, .shuffle = false, .workers = images->in_memory() ? 0 : available_threads(), .epochs = 1};
}

}  // namespace

std::span<const float> IntegerBatch::logits() const {
  const auto found = engine.output(kLogits);
  return found.numbers.first(static_cast<size_t>(images * found.channels));
}

IntegerRun run_integers(const IntegerNetwork& network, const Dataset& data, const IntegerRunOptions& options,
                        const TakeBatch& take) {
  check_fits(network, data);
  const int64_t batch = batch_of(data.test, options.batch);
  Executor engine(network, {.batch = batch, .threads = options.threads});
  BatchLoader loader(data.test, in_order(data.test, batch));
  IntegerRun run;
  std::vector<float> padded;
  for (int64_t i = 0; i < loader.batches(); ++i) {
    const auto taken = loader.take(0, i);
    std::span<const float> images = taken.images;
    const auto count = loader.batch_size(i);
    if (count < batch) {  // the engine takes whole batches only
      padded.assign(images.size() / static_cast<size_t>(count) * static_cast<size_t>(batch), 0.0F);
      std::copy(images.begin(), images.end(), padded.begin());
      images = padded;
    }
    const Stopwatch watch;
    engine.run(images, {taken.height, taken.width});
    run.seconds += watch.seconds();
    take({.engine = engine, .taken = taken, .images = count});
  }
  run.plans = engine.plans();
  return run;
}

}  // namespace auxbench
