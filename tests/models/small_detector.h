// Detectors small enough to try everything on, and what tests ask of them. For .cc files of tests.
#pragma once

#include <memory>
#include <string>

#include "base/torch_prelude.h"
#include "models/detector.h"
#include "models/network.h"

namespace auxbench::small_detector {

inline constexpr int64_t kClasses = 3, kFirst = 3, kLast = 7;

inline DetectorOptions narrow(const std::string& kind = "retinanet") {
  DetectorOptions options;
  options.backbone.model = "resnet18";
  options.backbone.width = 0.125;
  options.kind = kind;
  options.classes = kClasses;
  options.channels = 32;
  options.tower = 2;
  return options;
}

inline PrecisionPlan four_bits(const char* quantizer = "qil", const char* first_last = "float") {
  return {.quantizer = quantizer, .weight_bits = 4, .activation_bits = 4, .first_last = first_last};
}

inline DetectorOptions quantized(const std::string& kind = "retinanet", const char* quantizer = "qil") {
  auto options = narrow(kind);
  options.backbone.precision = four_bits(quantizer);
  return options;
}

inline at::Tensor pictures(int64_t count, int64_t height, int64_t width) { return at::rand({count, 3, height, width}); }

// As training leaves it: quantizers fitted, norms with statistics and weights of both signs.
inline std::unique_ptr<Network> trained_detector(const DetectorOptions& options) {
  at::manual_seed(5);
  auto network = make_detector(options);
  const at::NoGradGuard no_gradient;
  for (const auto& item : network->module().named_parameters())
    if (item.value().dim() == 1 && item.key().find("quantizer") == std::string::npos)
      item.value().add_(at::randn_like(item.value()) * 0.3);
  for (int i = 0; i < 2; ++i) network->forward(pictures(2, 64, 96));
  network->module().eval();
  return network;
}

// A number that depends on everything a detector answers.
inline at::Tensor sum_of(const NetworkOutput& output) {
  auto sum = at::zeros({}, output.levels.front().classes.options());
  for (const auto& level : output.levels) {
    sum = sum + level.classes.square().sum() + level.boxes.square().sum();
    if (level.centreness.defined()) sum = sum + level.centreness.square().sum();
  }
  return sum;
}

}  // namespace auxbench::small_detector
