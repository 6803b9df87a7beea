#include "runner/sweep/integer_check.h"

#include <algorithm>

#include "base/check.h"
#include "base/error.h"
#include "base/files/file.h"
#include "base/files/sha256.h"
#include "base/quantile.h"
#include "base/stopwatch.h"
#include "base/torch_prelude.h"
#include "deploy/bit_exactness.h"
#include "deploy/executor.h"
#include "deploy/freeze.h"
#include "deploy/integer_file.h"
#include "runner/inspect/integer_run.h"
#include "runner/sweep/cell_files.h"

namespace auxbench {
namespace {

constexpr int kTimings = 15;

ImageSize size_of(const Dataset& data) {
  const auto& shape = data.test->shape();
  return {.channels = shape.channels, .height = shape.height, .width = shape.width};
}

std::unique_ptr<Network> without_module(const Experiment& experiment, const Dataset& data,
                                        const std::filesystem::path& folder) {
  auto network = experiment.task().network(experiment.cell(), shape_of(data), Precision::of_cell);
  const auto file = folder / kWeightsFile;
  load_tensors(read_safetensors(file), "", named_tensors(network->module()), file.string());
  network->module().eval();
  return network;
}

std::span<const float> numbers(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

Evaluation evaluate_integers(const IntegerNetwork& network, const Task& task, const CellSpec& cell,
                             const Dataset& data) {
  const auto evaluator = task.evaluator(cell, *data.test);
  run_integers(network, data, cell.threads, [&](std::span<const float> found, std::span<const int64_t> wanted) {
    auto logits = at::empty({std::ssize(wanted), network.classes});
    std::copy(found.begin(), found.end(), logits.mutable_data_ptr<float>());
    evaluator->add({.targets = targets_of(wanted)}, {.logits = logits});
  });
  return evaluator->finish();
}

// The images on which two evaluations have different answers.
std::vector<int64_t> differing_images(const Evaluation& a, const Evaluation& b) {
  const auto &ours = a.outcomes.at(a.answers), &theirs = b.outcomes.at(b.answers);
  AUXBENCH_CHECK(ours.sizes() == theirs.sizes(), "answers to the same images");
  const auto images = ours.ne(theirs).reshape({ours.size(0), -1}).any(1).nonzero();
  const auto flat = images.flatten().contiguous();
  return {flat.const_data_ptr<int64_t>(), flat.const_data_ptr<int64_t>() + flat.numel()};
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
void time_image(const IntegerNetwork& integer, const Experiment& experiment, const Dataset& data, Record& record) {
  const at::NoGradGuard no_gradient;
  auto full = experiment.task().network(experiment.cell(), shape_of(data), Precision::full);
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

nlohmann::json compare(Experiment& experiment, const Dataset& data, const Evaluation& evaluation,
                       const std::filesystem::path& folder, Record& record) {
  auto network = without_module(experiment, data, folder);
  const auto frozen = freeze(*network, size_of(data));
  const auto bytes = dump_integer_network(frozen.network);
  write_file_atomically(folder / kIntegerFile, bytes);
  const auto found = evaluate_integers(frozen.network, experiment.task(), experiment.cell(), data);
  const auto differing = differing_images(found, evaluation);
  nlohmann::json facts = {{"status", differing.empty() ? "equal" : "differs"},
                          {"images", data.test->count()},
                          {"differing", differing.size()},
                          {found.metrics.front().name, found.metrics.front().value},
                          {"bytes", frozen.network.bytes()},
                          {"macs", frozen.network.macs()},
                          {"integer_macs", frozen.network.integer_macs()},
                          {"sha256", sha256_hex(bytes)}};
  if (!differing.empty()) facts["reason"] = part_ways(*network, frozen, data, differing.front());
  if (experiment.cell().has_auxi() && experiment.options().device.is_cpu())
    facts["module_free"] = dump_integer_network(freeze(experiment.network(), size_of(data)).network) == bytes;
  time_image(frozen.network, experiment, data, record);
  return facts;
}

}  // namespace

void check_integers(Experiment& experiment, const Dataset& data, const Evaluation& evaluation,
                    const std::filesystem::path& folder, Record& record) {
  if (experiment.cell().full_precision()) return;
  const Stopwatch watch;
  try {
    record.facts["integer"] = compare(experiment, data, evaluation, folder, record);
  } catch (const UserError& error) {
    record.facts["integer"] = {{"status", "none"}, {"reason", error.what()}};
  } catch (const LogicFault& error) {
    // A network that cannot be frozen (scales that are not finite, say) is still a trained one.
    record.facts["integer"] = {{"status", "none"}, {"reason", error.what()}};
  }
  record.seconds["integer check"] = watch.seconds();
}

}  // namespace auxbench
