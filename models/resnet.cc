#include "models/resnet.h"

#include <cmath>

#include "base/check.h"
#include "base/torch_prelude.h"
#include "models/block.h"
#include "models/norm.h"
#include "models/resnet_depth.h"

namespace auxbench {
namespace {

const ResNetDepth& depth_of(const std::string& model) {
  const auto* depth = find_resnet_depth(model);
  AUXBENCH_CHECK(depth != nullptr, "a ResNet that exists, not " + model);
  return *depth;
}

class ResNet final : public Network, public torch::nn::Module {
 public:
  explicit ResNet(const NetworkOptions& options)
      : options_(options),
        style_(BlockStyle::of(options)),
        base_(std::max<int64_t>(1, std::llround(64 * options.width))) {
    build_stem();
    build_stages(depth_of(options.model));
    fc_ = std::make_unique<QuantLinear>(channels_, options.classes, options.precision);
    register_module("fc", fc_->module());
  }

  NetworkOutput forward(const at::Tensor& images, const TapPlan* taps, NormBank* norms) override {
    Pass pass = {.plan = taps, .norms = norms, .taps = {}, .blocks = {}};
    NetworkOutput output;
    auto x = norm_(conv_->forward(images), norms);
    // max-pool and activation commute; pooling first gives H the map the author's code gives it.
    if (options_.stem == "imagenet") x = at::max_pool2d(x, {3, 3}, {2, 2}, {1, 1});
    if (taps != nullptr) output.stem = x;
    // A block that activates its own input takes the stem's norm as it is.
    auto y = shortcuts_everywhere() ? Codes{.codes = x} : stem_activation_.forward(x, is_training());
    for (auto& block : blocks_) y = block->forward(y, pass);
    auto features = decode(y);
    if (style_.kind == "pre-act") features = activate(style_.activation, last_norm_(features, norms));
    output.logits = fc_->forward(mean_of_pixels(features));
    output.taps = std::move(pass.taps);
    output.blocks = std::move(pass.blocks);
    return output;
  }

  torch::nn::Module& module() override { return *this; }

  [[nodiscard]] std::vector<TapShape> tap_shapes(const TapPlan& taps) const override {
    std::vector<TapShape> shapes;
    int64_t stride = 1;
    for (const auto& block : blocks_) block->append_tap_shapes(taps, stride, shapes);
    return shapes;
  }

  Graph graph() override {
    Graph graph;
    size_t x = graph.add({.kind = GraphNode::Kind::image, .name = "image"});
    x = append_convolution(graph, "conv1", *conv_, x);
    x = append_norm(graph, "bn1", norm_, x);
    if (options_.stem == "imagenet")
      x = graph.add({.kind = GraphNode::Kind::max_pool, .name = "maxpool", .inputs = {x}});
    if (!shortcuts_everywhere()) x = stem_activation_.append_to(graph, "stem_activation", x);
    std::vector<size_t> features = {x};
    for (size_t i = 0; i < blocks_.size(); ++i)
      features = blocks_[i]->append_to(graph, block_names_[i] + ".", features);
    x = features.front();
    if (style_.kind == "pre-act") {
      x = append_norm(graph, "bn_last", last_norm_, x);
      x = graph.add({.kind = GraphNode::Kind::activation,
                     .name = "last_activation",
                     .inputs = {x},
                     .activation = style_.activation});
    }
    x = graph.add({.kind = GraphNode::Kind::mean, .name = "mean", .inputs = {x}});
    if (auto* quantizer = fc_->weight().input_quantizer())
      x = graph.add(
          {.kind = GraphNode::Kind::quantization, .name = "fc.input_quantizer", .inputs = {x}, .quantizer = quantizer});
    x = graph.add({.kind = GraphNode::Kind::convolution,
                   .name = "fc",
                   .inputs = {x},
                   .layer = &fc_->weight(),
                   .with_norm = false});
    graph.add({.kind = GraphNode::Kind::bias, .name = "fc.bias", .inputs = {x}, .beta = fc_->bias().detach()});
    return graph;
  }

  [[nodiscard]] int64_t blocks() const override { return static_cast<int64_t>(blocks_.size()); }

  std::vector<QuantizedWeight*> quantized_layers() override {
    std::vector<QuantizedWeight*> layers = {&conv_->weight()};
    for (auto& block : blocks_) block->append_layers(layers);
    layers.push_back(&fc_->weight());
    std::erase_if(layers, [](const auto* layer) { return layer->full_precision(); });
    return layers;
  }

  void bypass(const std::vector<bool>& blocks) override {
    for (size_t i = 0; i < blocks_.size(); ++i) blocks_[i]->bypass(!blocks.empty() && blocks[i]);
  }

  [[nodiscard]] int64_t stem_channels() const override { return base_; }
  [[nodiscard]] int64_t feature_channels() const override { return channels_; }
  [[nodiscard]] std::shared_ptr<NormBank> make_norms() const override { return norms_.make_bank(); }

 private:
  // In evaluation of a quantized network in float64, rounded once, as its float layers are.
  [[nodiscard]] at::Tensor mean_of_pixels(const at::Tensor& features) const {
    if (!fc_->weight().sums_exactly()) return features.mean({2, 3});
    return features.to(at::kDouble).mean({2, 3}).to(features.scalar_type());
  }

  [[nodiscard]] bool shortcuts_everywhere() const { return style_.kind == "bireal" || style_.kind == "group"; }

  void build_stem() {
    const bool large = options_.stem == "imagenet";
    conv_ = std::make_unique<QuantConv>(ConvOptions{.in = options_.in_channels,
                                                    .out = base_,
                                                    .kernel = large ? 7 : 3,
                                                    .stride = large ? 2 : options_.stem_stride,
                                                    .padding = large ? 3 : 1},
                                        options_.precision, LayerPosition::first, true);
    register_module("conv1", conv_->module());
    norm_ = norms_.add(*this, "bn1", base_);
    stem_activation_ = Activation(style_);
    stem_activation_.register_in(*this, "stem_activation");
    channels_ = base_;
  }

  void build_stages(const ResNetDepth& depth) {
    for (size_t stage = 0; stage < depth.blocks.size(); ++stage) {
      auto holder = register_module("layer" + std::to_string(stage + 1), std::make_shared<torch::nn::Module>());
      for (int i = 0; i < depth.blocks[stage]; ++i) {
        const bool last = stage + 1 == depth.blocks.size() && i + 1 == depth.blocks[stage];
        const BlockShape shape = {.in = channels_,
                                  .width = base_ << stage,
                                  .stride = i == 0 && stage > 0 ? 2 : 1,
                                  .bottleneck = depth.bottleneck,
                                  .first = blocks_.empty(),
                                  .last = last};
        auto block = make_block(shape, style_, norms_);
        holder->register_module(std::to_string(i), block);
        channels_ = shape.out();
        blocks_.push_back(std::move(block));
        block_names_.push_back("layer" + std::to_string(stage + 1) + "." + std::to_string(i));
      }
    }
    if (style_.kind == "pre-act") last_norm_ = norms_.add(*this, "bn_last", channels_);
  }

  NetworkOptions options_;
  BlockStyle style_;
  int64_t base_;
  int64_t channels_ = 0;
  NormList norms_;
  std::unique_ptr<QuantConv> conv_;
  Norm norm_;
  Activation stem_activation_;
  std::vector<std::shared_ptr<Block>> blocks_;
  std::vector<std::string> block_names_;
  Norm last_norm_;  // pre-act only
  std::unique_ptr<QuantLinear> fc_;
};

}  // namespace

bool network_exists(const std::string& model) { return find_resnet_depth(model) != nullptr; }

std::unique_ptr<Network> make_network(const NetworkOptions& options) { return make_resnet(options); }

std::unique_ptr<Network> make_resnet(const NetworkOptions& options) { return std::make_unique<ResNet>(options); }

}  // namespace auxbench
