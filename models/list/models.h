// The list of networks and what is known of each without LibTorch; models.inc is the list itself, one line a network.
// The suite language takes its names from here, the price its arithmetic, torch's and integer networks their depth.
#pragma once

#include <array>
#include <string_view>

namespace auxbench {

struct ModelFacts {
  std::string_view name;
  std::string_view task;  // classification | detection
  bool exists;            // false: suites may name it, the program cannot make it yet
  bool bottleneck;        // of the ResNet (He et al. 2016), a detector's backbone
  std::array<int, 4> blocks;
  double gmacs;   // multiply-accumulates of one 224-pixel image, in units of 1e9
  double layers;  // with weights
  int epoch;      // of its code: raised when a change changes numbers
};

#define BLOCKS(a, b, c, d) \
  { a, b, c, d }
#define MODEL(name, task, exists, bottleneck, blocks, gmacs, layers, epoch) \
  ModelFacts{name, task, exists, bottleneck, {BLOCKS blocks}, gmacs, layers, epoch},
inline constexpr std::array kModels = {
#include "models/list/models.inc"
};
#undef MODEL
#undef BLOCKS

// Null where there is no such network.
inline const ModelFacts* find_model(std::string_view name) {
  for (const auto& model : kModels)
    if (model.name == name) return &model;
  return nullptr;
}

}  // namespace auxbench
