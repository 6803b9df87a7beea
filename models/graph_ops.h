// Operations that append nodes to a graph. For .cc files of this room.
#pragma once

#include "models/graph.h"
#include "models/ops.h"

namespace auxbench {

// Branches come one after the other, each with all of its layers.
class GraphOps final : public Ops {
 public:
  // The graph of an image alone.
  GraphOps() { image_ = append({.kind = GraphNode::Kind::image, .name = "image"}); }

  [[nodiscard]] const FeatureMap& image() const { return image_; }
  [[nodiscard]] Graph& graph() { return graph_; }

  void scope(const std::string& prefix) override { prefix_ = prefix; }
  void level(int64_t level) override { suffix_ = level == 0 ? "" : ".p" + std::to_string(level); }
  FeatureMap convolution(LayerName name, QuantConv& conv, const FeatureMap& x) override;
  FeatureMap norm(LayerName name, const Norm& norm, const FeatureMap& x) override;
  FeatureMap activation(LayerName name, const Activation& activation, const FeatureMap& x) override;
  FeatureMap activation(LayerName name, const Activation& activation, FeatureMap&& x) override;
  FeatureMap add(LayerName name, FeatureMap&& y, const FeatureMap& x) override;
  FeatureMap max_pool(LayerName name, const FeatureMap& x) override;
  FeatureMap average_pool(LayerName name, const FeatureMap& x) override;
  FeatureMap upsample(LayerName name, const FeatureMap& x, const FeatureMap& like) override;
  FeatureMap mean(LayerName name, const FeatureMap& x, bool in_double) override;
  FeatureMap linear(LayerName name, QuantLinear& layer, const FeatureMap& x) override;
  FeatureMap branches(int64_t count, bool same_input, const FeatureMap& x,
                      const std::function<FeatureMap(const FeatureMap&)>& branch) override;
  FeatureMap weighted_sum(LayerName name, const at::Tensor& weights, const FeatureMap& x) override;
  FeatureMap blend(LayerName name, const at::Tensor& gates, const FeatureMap& x, const FeatureMap& y) override;
  void answer(Answer answer, int64_t level, const FeatureMap& x) override;

 private:
  FeatureMap append(GraphNode node);
  FeatureMap with_bias(const std::string& layer, const at::Tensor& bias, const FeatureMap& x);
  FeatureMap quantized(const std::string& layer, Quantizer* quantizer, const FeatureMap& x);
  [[nodiscard]] std::string full_name(LayerName name) const;

  Graph graph_;
  FeatureMap image_;
  std::string prefix_, suffix_;  // of names; the suffix is the branch's or the level's
  Branch branch_;
};

}  // namespace auxbench
