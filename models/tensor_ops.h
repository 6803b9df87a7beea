// Operations that compute, with gradients where torch records them, and collect the taps that are asked for. For .cc
// files of this room.
#pragma once

#include "models/ops.h"

namespace auxbench {

// Images as a network's first layer reads them: on the CPU N H W C, which convolutions, small ones above all, are
// fastest in and operators hand on.
FeatureMap image_map(const at::Tensor& images);

class TensorOps final : public Ops {
 public:
  // taps: null for none; norms: null for the network's own.
  TensorOps(bool training, const TapPlan* taps, NormBank* norms) : training_(training), plan_(taps), norms_(norms) {}

  // `watcher`, which outlives this, sees every tensor that a quantizer of activations is given.
  void watch(const QuantizerWatcher* watcher) { watcher_ = watcher; }

  // What has been answered and handed out so far.
  [[nodiscard]] NetworkOutput& output() { return output_; }

  void scope(const std::string& /*prefix*/) override {}
  void level(int64_t /*level*/) override {}
  FeatureMap convolution(LayerName name, QuantConv& conv, const FeatureMap& x) override;
  FeatureMap norm(LayerName name, const Norm& norm, const FeatureMap& x) override;
  FeatureMap activation(LayerName name, const Activation& activation, const FeatureMap& x) override;
  FeatureMap activation(LayerName name, const Activation& activation, FeatureMap&& x) override;
  FeatureMap normed_activation(LayerName norm_name, const Norm& norm, LayerName name, const Activation& activation,
                               const FeatureMap& x) override;
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
  [[nodiscard]] bool wants(Tap tap) const override;
  void hand_out(Tap tap, FeatureMap& x) override;
  void hand_out(HeadTap tap, int64_t level, FeatureMap& x) override;

 private:
  void show(Quantizer* quantizer, const FeatureMap& x) const;

  bool training_;
  const TapPlan* plan_;
  NormBank* norms_;
  const QuantizerWatcher* watcher_ = nullptr;
  NetworkOutput output_;
};

}  // namespace auxbench
