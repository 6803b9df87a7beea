// What a detector predicts at each level of its pyramid, by two towers of 3x3 convolutions. For .cc files of this room.
//
//   tower       (convolution, norm or bias, ReLU) x n
//   classes     3x3 behind the class tower, [N, A K, H, W]
//   boxes       3x3 behind the box tower, [N, 4 A, H, W];  centre-ness: beside it, [N, 1, H, W]    (FCOS)
//
// A tower's convolutions are shared over the levels, or each level has its own ("unshared"; the last layers are shared in
// both). A shared convolution encodes its weights once a step and has one quantizer for its input, which sees the levels
// one after the other, finest first: what it fits to the first tensor it fits to P3, which has most of the pixels, and
// running state moves once a level.
//
// A norm behind a shared convolution is one for all levels, each with its own statistics of the batch, or one a level
// (NormKind::per_level). Behind an unshared convolution there is a plain one: it belongs to its level anyway.
//
// The last layers are `last` to the precision plan.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/conv_norm.h"

namespace auxbench {

struct HeadOptions {
  int64_t channels = 256, tower = 4;
  int64_t levels = 5, first_level = 3;
  int64_t anchors = 9, classes = 80;
  bool centreness = false;
  bool shared = true;
  std::optional<NormOptions> norm;  // of towers; none: biases
  bool bias_beside_group = false;
  bool flat_names = false;  // as below
  PrecisionPlan precision;
};

class DetectionHeads {
 public:
  // Registers in `owner`, whose name is `prefix`, by torchvision's names: classification_head.conv and .cls_logits,
  // regression_head.conv, .bbox_reg and .bbox_ctrness. Within conv the I-th convolution is I.0 and its norm I.1; with
  // flat names (FCOS) 3 I and 3 I + 1. Unshared towers stand one below the other in conv.p3 to conv.p7.
  DetectionHeads(torch::nn::Module& owner, const std::string& prefix, const HeadOptions& options, NormList& norms);

  // Answers level by level, finest first, and hands out what the towers compute.
  void compute(Ops& ops, const std::vector<FeatureMap>& levels);

  void append_layers(std::vector<QuantizedWeight*>& layers);

 private:
  // The layers of one tower: one list for all levels, or one a level.
  struct Tower {
    HeadTap tap = HeadTap::classes;
    std::vector<std::vector<ConvNorm>> layers{};
  };

  Tower make_tower(torch::nn::Module& branch, const std::string& prefix, HeadTap tap, NormList& norms) const;
  [[nodiscard]] std::vector<ConvNorm> make_layers(torch::nn::Module& holder, const std::string& prefix,
                                                  NormList& norms) const;
  FeatureMap compute_tower(Ops& ops, Tower& tower, size_t level, FeatureMap x) const;
  [[nodiscard]] int64_t number_of(size_t level) const { return options_.first_level + static_cast<int64_t>(level); }
  // Those that compute at every level.
  std::vector<QuantizedWeight*> shared_layers();

  HeadOptions options_;
  Tower class_tower_, box_tower_;
  std::optional<ConvNorm> classes_, boxes_, centreness_;
};

}  // namespace auxbench
