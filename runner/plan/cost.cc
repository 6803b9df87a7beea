#include "runner/plan/cost.h"

#include <algorithm>
#include <cmath>

namespace auxbench {
namespace {

// Multiply-accumulates of one 224-pixel image in units of 1e9, and weighted layers.
struct ModelSize {
  double gmacs;
  double layers;
};

ModelSize size_of(const std::string& model) {
  if (model == "resnet34") return {3.67, 36};
  if (model == "resnet50") return {4.09, 53};
  if (model == "resnet101") return {7.80, 104};
  return {1.82, 20};
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
    const double recorded = calibrate.iterations > 0 ? 2 * size_of(cell.model).layers * seen : 0;
    return seen + recorded + 3.0 * calibrate.iterations * calibrate.batch + static_cast<double>(test_images);
  }
  if (!cell.trains()) return static_cast<double>(test_images);
  const auto& stage = cell.stage();
  const double evaluations = stage.evaluate == "every" ? stage.epochs : std::min(2, stage.epochs);
  return 3.0 * stage.epochs * static_cast<double>(train_images) + evaluations * static_cast<double>(test_images);
}

double seconds_by_arithmetic(const CellSpec& cell, int64_t train_images, int64_t test_images) {
  const auto size = size_of(cell.model);
  const bool imagenet = cell.stem == "imagenet";
  const double pixels = imagenet ? 1.0 : 16.0 * (28.0 * 28.0) / (224.0 * 224.0) / (cell.stem_stride * cell.stem_stride);
  const double macs = size.gmacs * 1e9 * cell.width * cell.width * pixels;
  const double passes = image_passes(cell, train_images, test_images);
  const double steps = passes / 3.0 / std::max(1, batch_of(cell));
  constexpr double kMacsPerSecond = 60e9;    // two cores, small maps
  constexpr double kSecondsPerLayer = 4e-4;  // of a training step that is all overhead
  return (passes * macs / kMacsPerSecond + steps * size.layers * kSecondsPerLayer) * (cell.has_auxi() ? 1.4 : 1.0);
}

// The same work a step: everything but seed and number of epochs.
bool same_kind(const CellSpec& a, const CellSpec& b) {
  return a.model == b.model && a.width == b.width && a.stem == b.stem && a.stem_stride == b.stem_stride &&
         a.skip == b.skip && a.block == b.block && a.bases == b.bases && a.quantizer == b.quantizer && a.aid == b.aid &&
         a.dataset == b.dataset && batch_of(a) == batch_of(b);
}

}  // namespace

CostEstimate estimate_cost(const CellSpec& cell, int64_t train_images, int64_t test_images,
                           const std::map<std::string, Record>& records) {
  const double passes = image_passes(cell, train_images, test_images);
  double best = 0;
  for (const auto& [id, record] : records) {
    if (record.status != Status::completed || !record.facts.contains("train_images")) continue;
    const auto other = cell_from_json(record.spec);
    if (!same_kind(cell, other)) continue;
    const double other_passes = image_passes(other, record.facts.at("train_images").get<int64_t>(),
                                             record.facts.at("test_images").get<int64_t>());
    best = record.seconds.at("total") * passes / other_passes;
  }
  if (best > 0) return {.seconds = best, .from_history = true};
  return {.seconds = seconds_by_arithmetic(cell, train_images, test_images)};
}

}  // namespace auxbench
