#include "base/quantile.h"
#include "datasets/image/transforms.h"
#include "reports/report.h"
#include "runner/app/torch/verbs.h"
#include "runner/bench/training_speed.h"
#include "runner/training/device.h"

namespace auxbench {

DeviceFacts describe_device(const std::string& name) {
  const auto device = open_device(name);
  Provenance here;
  here.device = device.str();
  here.threads = threads_used();
  here.cpu = cpu_name();
  here.gpu = gpu_name(device);
  return {.name = device.str(), .text = machine_text(here) + "; LibTorch " + torch_version()};
}

double training_rate(const std::string& name) {
  const auto device = open_device(name);
  CellSpec cell;
  cell.model = "resnet18";
  cell.stem = "imagenet";
  const int batch = device.is_cuda() ? 128 : 4, steps = device.is_cuda() ? 20 : 3;
  cell.pretrain = StageSpec{.epochs = 1, .batch = batch, .lr = 0.01};
  const auto speed = measure_training(cell, kPhotoSide, 3, 1000, steps, device);
  return batch / quantile(speed.step_seconds, 0.5);
}

}  // namespace auxbench
