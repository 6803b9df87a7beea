#include "runner/sweep/integer_check.h"

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/sha256.h"
#include "base/parallel.h"
#include "base/quantile.h"
#include "base/stopwatch.h"
#include "base/torch_prelude.h"
#include "deploy/bit_exactness.h"
#include "deploy/executor.h"
#include "deploy/freeze.h"
#include "deploy/integer_file.h"
#include "runner/inspect/integer_run.h"
#include "runner/training/batch.h"

namespace auxbench {
namespace {

constexpr int kTimings = 15;

DataShape shape_of(const Dataset& data) {
  return {.channels = data.test->shape().channels, .classes = data.test->classes()};
}

ImageSize size_of(const Dataset& data) {
  const auto& shape = data.test->shape();
  return {.channels = shape.channels, .height = shape.height, .width = shape.width};
}

std::unique_ptr<Network> without_module(const CellSpec& cell, const Dataset& data,
                                        const std::filesystem::path& folder) {
  auto network = make_cell_network(cell, shape_of(data), Precision::of_cell);
  const auto file = folder / kWeightsFile;
  load_tensors(read_safetensors(file), "", named_tensors(network->module()), file.string());
  network->module().eval();
  return network;
}

std::span<const float> numbers(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

at::Tensor one_image(const Dataset& data, int64_t index) {
  TensorLoader loader(data.test, {.batch = 1, .shuffle = false, .epochs = 1}, {.workers = 0});
  return loader.take(0, index).images.contiguous();
}

std::string part_ways(Network& network, const FrozenNetwork& frozen, const Dataset& data, int64_t image) {
  const auto found = first_divergence(network, frozen, one_image(data, image));
  if (!found) return "image " + std::to_string(image) + ": every value equal on this processor";
  return "image " + std::to_string(image) + ": first at " + found->layer + ", " + std::to_string(found->values) +
         " values, by " + std::to_string(found->largest) + (found->codes ? " codes" : "") + " at most";
}

// For as long as this lives, torch works on one thread.
class OneThread {
 public:
  OneThread() : before_(at::get_num_threads()) { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// Both on one thread, in turns.
void time_image(const IntegerNetwork& integer, const CellSpec& cell, const Dataset& data, Record& record) {
  const at::NoGradGuard no_gradient;
  auto full = make_cell_network(cell, shape_of(data), Precision::full);
  full->module().eval();
  Executor engine(integer, {});
  const auto image = one_image(data, 0);
  const OneThread one_thread;
  std::vector<double> ours, theirs;
  for (int i = -2; i < kTimings; ++i) {
    const Stopwatch engine_watch;
    engine.run(numbers(image));
    const double engine_seconds = engine_watch.seconds();
    const Stopwatch torch_watch;
    full->forward(image);
    if (i < 0) continue;
    ours.push_back(engine_seconds);
    theirs.push_back(torch_watch.seconds());
  }
  record.seconds["integer image"] = quantile(ours, 0.5);
  record.seconds["full-precision image"] = quantile(theirs, 0.5);
}

}  // namespace

void check_integers(Experiment& experiment, const Dataset& data, const Evaluation& evaluation,
                    const std::filesystem::path& folder, Record& record) {
  const auto& cell = experiment.cell();
  if (cell.full_precision()) return;
  const Stopwatch watch;
  nlohmann::json facts;
  try {
    auto network = without_module(cell, data, folder);
    const auto frozen = freeze(*network, size_of(data));
    const auto bytes = dump_integer_network(frozen.network);
    write_file_atomically(folder / kIntegerFile, bytes);
    const auto ranks = run_integers(frozen.network, data, available_threads()).ranks;
    int64_t differing = 0, first = -1;
    for (size_t i = 0; i < ranks.predictions.size(); ++i)
      if (ranks.predictions[i] != evaluation.predictions[i] && differing++ == 0) first = static_cast<int64_t>(i);
    facts = {{"status", differing == 0 ? "equal" : "differs"},
             {"images", ranks.predictions.size()},
             {"differing", differing},
             {"top1", percent(ranks.top1)},
             {"bytes", frozen.network.bytes()},
             {"macs", frozen.network.macs()},
             {"integer_macs", frozen.network.integer_macs()},
             {"sha256", sha256_hex(bytes)}};
    if (differing > 0) facts["reason"] = part_ways(*network, frozen, data, first);
    if (cell.has_auxi() && experiment.options().device.is_cpu())
      facts["module_free"] = dump_integer_network(freeze(experiment.network(), size_of(data)).network) == bytes;
    time_image(frozen.network, cell, data, record);
  } catch (const UserError& error) {
    facts = {{"status", "none"}, {"reason", error.what()}};
  }
  record.facts["integer"] = std::move(facts);
  record.seconds["integer check"] = watch.seconds();
}

}  // namespace auxbench
