// How deep ResNets are (He et al. 2016), for networks of torch's modules and for integer ones. Free of torch.
#pragma once

#include <array>
#include <string_view>

namespace auxbench {

struct ResNetDepth {
  const char* model;
  bool bottleneck;
  std::array<int, 4> blocks;  // of each stage
};

inline constexpr std::array<ResNetDepth, 4> kResNetDepths = {{{"resnet18", false, {2, 2, 2, 2}},
                                                              {"resnet34", false, {3, 4, 6, 3}},
                                                              {"resnet50", true, {3, 4, 6, 3}},
                                                              {"resnet101", true, {3, 4, 23, 3}}}};

// Null where there is no such network.
inline const ResNetDepth* find_resnet_depth(std::string_view model) {
  for (const auto& depth : kResNetDepths)
    if (depth.model == model) return &depth;
  return nullptr;
}

}  // namespace auxbench
