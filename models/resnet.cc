// ResNet-18/34/50/101 (He et al. 2016); models/network.h says what they are made of.
#include "base/check.h"
#include "base/torch_prelude.h"
#include "models/graph_ops.h"
#include "models/list/models.h"
#include "models/network.h"
#include "models/norm.h"
#include "models/resnet_body.h"
#include "models/tensor_ops.h"

namespace auxbench {
namespace {

class ResNet final : public Network, public torch::nn::Module {
 public:
  explicit ResNet(const NetworkOptions& options)
      : norms_({.kind = options.frozen_norms ? NormKind::frozen : NormKind::batch}), body_(*this, options, norms_) {
    fc_ = std::make_unique<QuantLinear>(body_.channels(), options.classes, options.precision);
    register_module("fc", fc_->module());
  }

  NetworkOutput forward(const at::Tensor& images, const TapPlan* taps, NormBank* norms) override {
    TensorOps ops(is_training(), taps, norms);
    if (watcher_) ops.watch(&watcher_);
    compute(ops, image_map(images));
    return std::move(ops.output());
  }

  Graph graph() override {
    GraphOps ops;
    compute(ops, ops.image());
    return std::move(ops.graph());
  }

  torch::nn::Module& module() override { return *this; }

  [[nodiscard]] std::vector<TapShape> tap_shapes(const TapPlan& taps) const override { return body_.tap_shapes(taps); }
  [[nodiscard]] int64_t blocks() const override { return body_.blocks(); }
  [[nodiscard]] int64_t stem_channels() const override { return body_.stem_channels(); }

  std::vector<QuantizedWeight*> quantized_layers() override {
    std::vector<QuantizedWeight*> layers;
    body_.append_layers(layers);
    layers.push_back(&fc_->weight());
    std::erase_if(layers, [](const auto* layer) { return layer->full_precision(); });
    return layers;
  }

  void bypass(const std::vector<bool>& blocks) override { body_.bypass(blocks); }
  void watch_quantizers(QuantizerWatcher watcher) override { watcher_ = std::move(watcher); }
  [[nodiscard]] std::shared_ptr<NormBank> make_norms() const override { return norms_.make_bank(); }

 private:
  // From images to logits.
  void compute(Ops& ops, FeatureMap images) {
    auto x = body_.compute(ops, "", std::move(images));
    x = ops.mean({"mean"}, x, fc_->weight().sums_exactly());
    ops.answer(Answer::logits, 0, ops.linear({"fc"}, *fc_, x));
  }

  NormList norms_;
  ResNetBody body_;
  std::unique_ptr<QuantLinear> fc_;
  QuantizerWatcher watcher_;  // empty: nobody watches
};

}  // namespace

bool network_exists(const std::string& model) {
  const auto* facts = find_model(model);
  return facts != nullptr && facts->exists && facts->task == "classification";
}

std::unique_ptr<Network> make_network(const NetworkOptions& options) {
  AUXBENCH_CHECK(network_exists(options.model), "a ResNet that exists, not " + options.model);
  return std::make_unique<ResNet>(options);
}

}  // namespace auxbench
