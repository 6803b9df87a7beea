#include "runner/bench/training_speed.h"

#include "base/stopwatch.h"
#include "base/torch_prelude.h"
#include "runner/bench/regular_boxes.h"
#include "runner/tasks/tensor_loader.h"
#include "runner/training/device.h"
#include "runner/training/step_engine.h"

namespace auxbench {
namespace {

void add_boxes(int64_t side, int64_t classes, TensorBatch& batch) {
  for (int64_t i = 0; i < batch.images.size(0); ++i) {
    BoxedImage info = {.index = static_cast<size_t>(i),
                       .width = side,
                       .height = side,
                       .full_width = side,
                       .full_height = side,
                       .boxes = regular_boxes(i, side, classes)};
    add_targets(info, batch.targets);
    batch.infos.push_back(std::move(info));
  }
}

}  // namespace

TrainingSpeed measure_training(const CellSpec& cell, int image, int channels, int classes, int steps,
                               c10::Device device) {
  Experiment experiment(cell, {.channels = channels, .classes = classes}, {.device = device});
  experiment.train_mode(true);
  const auto& stage = cell.stage();
  TensorBatch batch = {.images = at::rand({stage.batch, channels, image, image}).to(device), .targets = {}};
  if (cell.task == "detection")
    add_boxes(image, classes, batch);
  else
    batch.targets.labels = at::randint(classes, {stage.batch}, at::kLong).to(device);
  const auto engine = make_eager_step(experiment);
  constexpr int kWarmUp = 5;
  TrainingSpeed speed;
  for (int i = 0; i < kWarmUp + steps; ++i) {
    const Stopwatch watch;
    const auto losses = engine->step(batch, stage.lr);
    static_cast<void>(losses.task.item<double>());
    synchronize(device);
    if (i >= kWarmUp) speed.step_seconds.push_back(watch.seconds());
  }
  return speed;
}

}  // namespace auxbench
