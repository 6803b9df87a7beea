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
#include "runner/inspect/integer_boxes.h"
#include "runner/inspect/integer_run.h"
#include "runner/sweep/cell_files.h"

namespace auxbench {
namespace {

constexpr int kTimings = 15;

at::Tensor one_image(const Dataset& data, int64_t index) {
  TensorLoader loader(data.test, {.batch = 1, .shuffle = false, .epochs = 1}, {.workers = 0});
  return loader.take(0, index).images.contiguous();
}

// Images with boxes have sizes of their own: the first one's, padded, stands for them.
ImageSize size_of(const Dataset& data) {
  if (data.test->boxed()) {
    const auto first = one_image(data, 0);
    return {.channels = first.size(1), .height = first.size(2), .width = first.size(3)};
  }
  const auto& shape = data.test->shape();
  return {.channels = shape.channels, .height = shape.height, .width = shape.width};
}

// Frozen, with what the cell says of its outputs: all that its file holds.
FrozenNetwork frozen_of(Network& network, const CellSpec& cell, const Dataset& data) {
  auto frozen = freeze(network, size_of(data));
  if (network.detector() != nullptr)
    frozen.network.detector = {.kind = cell.model.substr(0, cell.model.find('-')),
                               .flavour = cell.detector.flavour,
                               .image_size = cell.image_size};
  return frozen;
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

// What the engine said of a batch under a name, as the network has it: [N, C, H, W], of a classifier [N, classes].
at::Tensor answer(const IntegerBatch& found, const std::string& name) {
  const auto output = found.engine.output(name);
  const auto numbers = output.numbers.first(static_cast<size_t>(found.images * output.h * output.w * output.channels));
  auto all = at::empty({found.images, output.h, output.w, output.channels});
  std::copy(numbers.begin(), numbers.end(), all.mutable_data_ptr<float>());
  return name == kLogits ? all.flatten(1) : all.permute({0, 3, 1, 2}).contiguous();
}

using Answers = std::vector<std::pair<std::string, at::Tensor*>>;

// The raw outputs of a detector, by the names of the integer network's.
Answers raw_answers(NetworkOutput& output) {
  Answers answers;
  for (auto& level : output.levels) {
    const auto number = "." + std::to_string(level.level);
    answers.emplace_back("classes" + number, &level.classes);
    answers.emplace_back("boxes" + number, &level.boxes);
    if (level.centreness.defined()) answers.emplace_back("centreness" + number, &level.centreness);
  }
  return answers;
}

// What the integers say of the test set.
struct IntegerEvaluation {
  Evaluation evaluation;
  std::vector<int64_t> raw_differing;  // images of which a raw output is not the network's, bit for bit; of a detector
};

class IntegerEvaluator {
 public:
  IntegerEvaluator(Network& network, const Experiment& experiment, const Dataset& data)
      : network_(network),
        channels_(data.test->shape().channels),
        evaluator_(experiment.task().evaluator(experiment.cell(), *data.test)) {}

  void add(const IntegerBatch& found) {
    if (network_.detector() == nullptr)
      evaluator_->add(without_images(found.taken), {.logits = answer(found, kLogits)});
    else
      add_levels(found);
    images_ += found.images;
  }

  IntegerEvaluation finish() { return {evaluator_->finish(), std::move(raw_differing_)}; }

 private:
  void add_levels(const IntegerBatch& found) {
    const at::NoGradGuard no_gradient;
    const auto& taken = found.taken;
    auto images = at::empty({found.images, channels_, taken.height, taken.width});
    std::copy(taken.images.begin(), taken.images.end(), images.mutable_data_ptr<float>());
    auto output = network_.forward(images);
    std::vector<bool> differs(static_cast<size_t>(found.images));
    for (const auto& [name, wanted] : raw_answers(output)) {
      const auto said = answer(found, name);
      AUXBENCH_CHECK(said.sizes() == wanted->sizes(), "an output of the network's size, not " + name);
      for (int64_t i = 0; i < found.images; ++i)
        if (!at::equal(said[i], (*wanted)[i])) differs[static_cast<size_t>(i)] = true;
      *wanted = said;
    }
    for (int64_t i = 0; i < found.images; ++i)
      if (differs[static_cast<size_t>(i)]) raw_differing_.push_back(images_ + i);
    evaluator_->add(without_images(taken), output);
  }

  Network& network_;
  int64_t channels_;
  std::unique_ptr<Evaluator> evaluator_;
  int64_t images_ = 0;
  std::vector<int64_t> raw_differing_;
};

IntegerEvaluation evaluate_integers(const IntegerNetwork& integer, Network& network, const Experiment& experiment,
                                    const Dataset& data) {
  IntegerEvaluator evaluator(network, experiment, data);
  run_integers(integer, data, {.threads = experiment.cell().threads},
               [&](const IntegerBatch& found) { evaluator.add(found); });
  return evaluator.finish();
}

// The images on which two evaluations have different answers.
std::vector<int64_t> differing_images(const Evaluation& a, const Evaluation& b) {
  const auto &ours = a.outcomes.at(a.answers), &theirs = b.outcomes.at(b.answers);
  AUXBENCH_CHECK(ours.sizes() == theirs.sizes(), "answers to the same images");
  const auto images = ours.ne(theirs).reshape({ours.size(0), -1}).any(1).nonzero();
  const auto flat = images.flatten().contiguous();
  return {flat.const_data_ptr<int64_t>(), flat.const_data_ptr<int64_t>() + flat.numel()};
}

// Images of either list, each once, in order.
std::vector<int64_t> together(std::vector<int64_t> a, const std::vector<int64_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::sort(a.begin(), a.end());
  a.erase(std::unique(a.begin(), a.end()), a.end());
  return a;
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
  const ValueSize size = {image.size(2), image.size(3)};
  const OneThread one_thread;
  std::vector<double> ours, theirs;
  for (int i = -2; i < kTimings; ++i) {
    const Stopwatch engine_watch;
    engine.run(numbers(image), size);
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
  const auto& cell = experiment.cell();
  const auto frozen = frozen_of(*network, cell, data);
  const auto bytes = dump_integer_network(frozen.network);
  write_file_atomically(folder / kIntegerFile, bytes);
  const auto [found, raw_differing] = evaluate_integers(frozen.network, *network, experiment, data);
  const auto differing = together(differing_images(found, evaluation), raw_differing);
  nlohmann::json facts = {{"status", differing.empty() ? "equal" : "differs"},
                          {"images", data.test->count()},
                          {"differing", differing.size()},
                          {found.metrics.front().name, found.metrics.front().value},
                          {"bytes", frozen.network.bytes()},
                          {"macs", frozen.network.macs()},
                          {"integer_macs", frozen.network.integer_macs()},
                          {"sha256", sha256_hex(bytes)}};
  if (is_detector(frozen.network)) facts["raw_differing"] = raw_differing.size();
  if (!differing.empty()) facts["reason"] = part_ways(*network, frozen, data, differing.front());
  if (cell.has_auxi() && experiment.options().device.is_cpu())
    facts["module_free"] = dump_integer_network(frozen_of(experiment.network(), cell, data).network) == bytes;
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
