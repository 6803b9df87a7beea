#include "runner/plan/cost.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "models/list/models.h"
#include "runner/plan/detector_work.h"

namespace auxbench {
namespace {

const ModelFacts& facts_of(const std::string& model) {
  const auto* facts = find_model(model);
  AUXBENCH_CHECK(facts != nullptr, "a model of the list, not " + model);
  return *facts;
}

// 0: it only evaluates.
int batch_of(const CellSpec& cell) {
  if (cell.post_training()) return cell.calibrate->batch;
  return cell.trains() ? cell.stage().batch : 0;
}

// Image passes through the network, a training step counting three, in units of a forward pass.
double image_passes(const CellSpec& cell, int64_t train_images, int64_t test_images) {
  if (cell.post_training()) {
    // A step of reconstruction is one layer's; recording passes the images twice for each of them.
    const auto& calibrate = *cell.calibrate;
    const auto seen = static_cast<double>(std::min<int64_t>(calibrate.images, train_images));
    const double recorded = calibrate.iterations > 0 ? 2 * facts_of(cell.model).layers * seen : 0;
    // Bias correction passes the images at full precision, then once for each layer behind a norm.
    const double corrected = calibrate.correct_bias ? (facts_of(cell.model).layers + 1) * seen : 0;
    const auto reestimated = static_cast<double>(std::min<int64_t>(calibrate.reestimate_norms, train_images));
    return seen + recorded + corrected + reestimated + 3.0 * calibrate.iterations * calibrate.batch +
           static_cast<double>(test_images);
  }
  if (!cell.trains()) return static_cast<double>(test_images);
  const auto& stage = cell.stage();
  const auto all = static_cast<double>(train_images);
  const double seen = stage.by_iterations() ? static_cast<double>(stage.iterations) * stage.batch : stage.epochs * all;
  const double epochs = all > 0 ? std::ceil(seen / all) : 0;
  const double evaluations = stage.evaluate == "every" ? epochs : std::min(2.0, epochs);
  const auto reestimated = static_cast<double>(std::min<int64_t>(stage.reestimate_norms, train_images));
  return 3.0 * seen + reestimated + evaluations * static_cast<double>(test_images);
}

// How many times a step of the plain network this cell's takes, the module apart. Measured on cells of ResNet-18 to
// ResNet-50 at width 1/8 (results/published).
double work_of_method(const CellSpec& cell) {
  double factor = cell.block == "group" ? 0.7 * cell.bases : 1.0;
  if (cell.quantizer == "lq-net") factor *= std::max(cell.weight_bits, cell.activation_bits);  // it fits its levels
  if (cell.has_teacher()) factor *= 1.5;
  return factor;
}

// Of a map at 224 pixels: those of the small stem are larger for the image's size.
double relative_pixels(const CellSpec& cell) {
  if (cell.task == "detection") return detector_work(cell).pixels / (224.0 * 224.0);
  const double stride = cell.stem_stride;
  return cell.stem == "imagenet" ? 1.0 : 16.0 * (28.0 * 28.0) / (224.0 * 224.0) / (stride * stride);
}

double seconds_by_arithmetic(const CellSpec& cell, int64_t train_images, int64_t test_images) {
  const auto& size = facts_of(cell.model);
  const auto beside = cell.task == "detection" ? detector_work(cell) : DetectorWork();
  const double macs = size.gmacs * 1e9 * cell.width * cell.width * relative_pixels(cell) + beside.macs;
  const double layers = size.layers + beside.layers;
  const double passes = image_passes(cell, train_images, test_images);
  const double steps = passes / 3.0 / std::max(1, batch_of(cell));
  constexpr double kMacsPerSecond = 45e9;    // one thread, small maps
  constexpr double kSecondsPerLayer = 4e-4;  // of a training step that is all overhead
  return (passes * macs / kMacsPerSecond + steps * layers * kSecondsPerLayer) * work_of_method(cell) *
         (cell.has_auxi() ? 1.4 : 1.0);
}

// Equal for cells that do the same work a step.
std::string kind_of(const CellSpec& cell, const std::string& device_class) {
  std::string kind = device_class;
  const auto add = [&](const std::string& part) { kind += " " + part; };
  for (const auto& word : {cell.model, cell.stem, cell.block, cell.quantizer, cell.first_last, cell.dataset}) add(word);
  for (const int number : {cell.stem_stride, cell.skip ? 1 : 0, cell.bases, cell.weight_bits, cell.activation_bits,
                           batch_of(cell), cell.post_training() ? 1 : 0})
    add(std::to_string(number));
  add(std::to_string(cell.width));
  for (const auto& aid : cell.aid) add(aid);
  if (cell.auxi.until > 0) add("until " + std::to_string(cell.auxi.until));
  if (cell.threads > 1) add(std::to_string(cell.threads) + " threads");
  if (cell.task == "detection") {
    const auto& [heads, quantize, flavour, norm, backbone_norm, channels, tower] = cell.detector;
    for (const auto& word : {heads, quantize, flavour, norm, backbone_norm}) add(word);
    for (const int number : {channels, tower, cell.image_size}) add(std::to_string(number));
    if (cell.has_auxi()) add("modules " + cell.auxi.where + " " + cell.auxi.predict);
  }
  return kind;
}

constexpr double kLongestRun = 1e9;  // seconds, thirty years: no record of a run says more

// In seconds of one thread. At the sizes where a cell is trained on a CPU a second thread is worth a quarter: the median
// of 1.0 to 1.35, measured on ResNet-18 at width 1/8; more threads are worth no more.
double one_thread_seconds(const PastRun& run) {
  constexpr double kWorthOfMoreThreads = 1.25;
  return run.device_class == "cpu" && run.threads != run.spec.threads ? run.seconds * kWorthOfMoreThreads : run.seconds;
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

Prices::Prices(const std::vector<PastRun>& history) {
  std::map<std::string, std::vector<double>> rates;
  for (const auto& run : history) {
    const double passes = image_passes(run.spec, run.train_images, run.test_images);
    if (passes > 0 && run.seconds > 0 && run.seconds < kLongestRun)
      rates[kind_of(run.spec, run.device_class)].push_back(one_thread_seconds(run) / passes);
  }
  for (auto& [kind, values] : rates) seconds_per_pass_[kind] = median(values);
}

CostEstimate Prices::estimate(const CellSpec& cell, const std::string& device_class, int64_t train_images,
                              int64_t test_images) const {
  const auto past = seconds_per_pass_.find(kind_of(cell, device_class));
  if (past != seconds_per_pass_.end())
    return {.seconds = past->second * image_passes(cell, train_images, test_images), .from_history = true};
  return {.seconds = seconds_by_arithmetic(cell, train_images, test_images)};
}

int64_t memory_estimate(const CellSpec& cell) {
  // LibTorch with a data set of small images; then what a step keeps of each layer's map: convolution, norm, activation,
  // quantizer and the gradients that are on their way, about eight maps of four bytes.
  constexpr double kProcess = 0.5e9, kBytesPerNumber = 8 * 4;
  const auto& size = facts_of(cell.model);
  const double numbers_a_layer = size.bottleneck ? 0.22e6 : 0.13e6;  // ResNet-50 has 11.1e6 in all, ResNet-18 2.5e6
  const double beside = cell.task == "detection" ? detector_work(cell).numbers : 0;
  const double numbers = numbers_a_layer * size.layers * cell.width * relative_pixels(cell) + beside;
  const double networks = cell.has_teacher() ? 2 : 1;
  constexpr double kMost = 1e18;  // of what a whole number can say
  const double bytes = kProcess + kBytesPerNumber * numbers * networks * std::max(1, batch_of(cell));
  return static_cast<int64_t>(std::min(bytes, kMost));
}

}  // namespace auxbench
