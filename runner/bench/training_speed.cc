#include "runner/bench/training_speed.h"

#include "base/stopwatch.h"
#include "base/torch_prelude.h"
#include "runner/training/device.h"
#include "runner/training/step_engine.h"

namespace auxbench {

TrainingSpeed measure_training(const CellSpec& cell, int image, int channels, int classes, int steps,
                               c10::Device device) {
  Experiment experiment(cell, {.channels = channels, .classes = classes}, {.device = device});
  experiment.train_mode(true);
  const auto& stage = cell.stage();
  const auto images = at::rand({stage.batch, channels, image, image}).to(device);
  const auto labels = at::randint(classes, {stage.batch}, at::kLong).to(device);
  const auto engine = make_eager_step(experiment);
  constexpr int kWarmUp = 5;
  TrainingSpeed speed;
  for (int i = 0; i < kWarmUp + steps; ++i) {
    const Stopwatch watch;
    const auto losses = engine->step({.images = images, .targets = {.labels = labels}}, stage.lr);
    static_cast<void>(losses.task.item<double>());
    synchronize(device);
    if (i >= kWarmUp) speed.step_seconds.push_back(watch.seconds());
  }
  return speed;
}

}  // namespace auxbench
