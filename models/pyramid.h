// The feature pyramid of a detector (Lin et al. 2017), P3 to P7. For .cc files of this room.
//
//   M5 = inner(C5)    M_i = inner(C_i) + up(M_i+1)    i = 4, 3; inner: 1x1; up: nearest, to the size of C_i
//   P_i = layer(M_i)  i = 3, 4, 5; layer: 3x3
//   P6 = p6(P5) or p6(C5)    P7 = p7(relu(P6))    3x3, stride 2
//
// Without norms each convolution has a bias. With norms it has a norm in its place, and where `relu` says so M_i and P_i
// end in a ReLU (AQD: convolution, norm and ReLU everywhere): what quantized layers read is then not negative. Without
// it they see the positive part of M_i and P_i alone, since quantizers of activations start at zero. M_i is rectified
// behind the sum, where an integer engine does it in passing.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "models/conv_norm.h"
#include "models/resnet_body.h"

namespace auxbench {

struct PyramidOptions {
  int64_t channels = 256;
  std::optional<NormOptions> norm;  // none: biases
  bool relu = false;
  bool p6_from_c5 = false;
  PrecisionPlan precision;
};

class Pyramid {
 public:
  static constexpr int64_t kFirstLevel = 3, kLevels = 5;

  // Registers in `owner`, whose name is `prefix`, by torchvision's names: inner_blocks.I.0, layer_blocks.I.0 (I = 0 is
  // level 3; norms are I.1), extra_blocks.p6 and p7 (norms: p6_norm, p7_norm).
  Pyramid(torch::nn::Module& owner, const std::string& prefix, const std::array<int64_t, 4>& stage_channels,
          const PyramidOptions& options, NormList& norms);

  // P3 .. P7.
  std::vector<FeatureMap> compute(Ops& ops, const StageMaps& stages);

  void append_layers(std::vector<QuantizedWeight*>& layers);  // in the order they compute

 private:
  static constexpr size_t kMerged = 3;  // levels of the backbone

  FeatureMap merge(Ops& ops, size_t i, const FeatureMap& above, const FeatureMap& stage);

  std::string prefix_;
  bool relu_, p6_from_c5_;
  std::vector<ConvNorm> inner_, layer_;  // of levels 3, 4, 5
  std::vector<ConvNorm> extra_;          // p6, p7
};

}  // namespace auxbench
