// Stem and stages of a ResNet, which a classifier and a detector's backbone share (models/network.h says what they are
// made of). For .cc files of this room.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "models/block.h"
#include "models/network.h"

namespace auxbench {

struct ModelFacts;

// The maps behind the four stages, C2 to C5: with the large stem 4, 8, 16 and 32 pixels apart.
using StageMaps = std::array<FeatureMap, 4>;

class ResNetBody {
 public:
  // Registers its layers in `owner` by torchvision's names (conv1, bn1, layer1 .. layer4), drawn in that order.
  ResNetBody(torch::nn::Module& owner, const NetworkOptions& options, NormList& norms);

  // From images to what the last stage makes of them. prefix: of the layers' names. stages: null, or takes the maps.
  FeatureMap compute(Ops& ops, const std::string& prefix, FeatureMap x, StageMaps* stages = nullptr);

  void append_layers(std::vector<QuantizedWeight*>& layers);
  // As Network's.
  void bypass(const std::vector<bool>& blocks);
  [[nodiscard]] std::vector<TapShape> tap_shapes(const TapPlan& taps) const;
  [[nodiscard]] int64_t blocks() const { return static_cast<int64_t>(blocks_.size()); }
  [[nodiscard]] int64_t stem_channels() const { return base_; }
  // Of C2 .. C5.
  [[nodiscard]] const std::array<int64_t, 4>& stage_channels() const { return stage_channels_; }
  // Of what compute() returns.
  [[nodiscard]] int64_t channels() const { return channels_; }

 private:
  struct NamedBlock {
    std::string name;
    std::shared_ptr<Block> block;
    size_t stage;  // counted from 0
  };

  void build_stem(torch::nn::Module& owner, const NetworkOptions& options, NormList& norms);
  void build_stages(torch::nn::Module& owner, const ModelFacts& depth, NormList& norms);

  BlockStyle style_;
  bool large_stem_;
  int64_t base_;
  int64_t channels_ = 0;
  std::array<int64_t, 4> stage_channels_{};
  std::unique_ptr<QuantConv> conv_;
  Norm norm_;
  Activation stem_activation_;
  std::vector<NamedBlock> blocks_;
  Norm last_norm_;  // pre-act only
};

}  // namespace auxbench
