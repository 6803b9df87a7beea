#include "models/block.h"

#include "base/check.h"

namespace auxbench {

BlockStyle BlockStyle::of(const NetworkOptions& options) {
  return {.kind = options.block,
          .skip = options.skip,
          .activation = options.activation,
          .at_output = options.precision.quantizes() && options.quantize_at == "block-output",
          .bases = options.bases,
          .precision = options.precision};
}

Activation::Activation(const BlockStyle& style) : activation_(style.activation) {
  if (style.at_output) quantizer_ = layer_quantizer(style.precision, Role::activation, style.precision.activation_bits);
}

Codes Activation::forward(const at::Tensor& x, bool training) const {
  if (!quantizer_ || bypassed_) return {.codes = activate(activation_, x)};
  return quantizer_->encode(x, training ? Phase::training : Phase::evaluation);
}

void Activation::register_in(torch::nn::Module& owner, const std::string& name) {
  if (!quantizer_) return;
  quantizer_->allocate_state(at::empty({0}));
  register_quantizer(owner, name, *quantizer_);
}

size_t Activation::append_to(Graph& graph, const std::string& name, size_t input) const {
  if (!quantizer_)
    return graph.add({.kind = GraphNode::Kind::activation, .name = name, .inputs = {input}, .activation = activation_});
  return graph.add(
      {.kind = GraphNode::Kind::quantization, .name = name, .inputs = {input}, .quantizer = quantizer_.get()});
}

size_t append_convolution(Graph& graph, const std::string& name, QuantConv& conv, size_t input, Branch branch) {
  if (auto* quantizer = conv.weight().input_quantizer())
    input = graph.add({.kind = GraphNode::Kind::quantization,
                       .name = name + ".input_quantizer",
                       .inputs = {input},
                       .quantizer = quantizer});
  const auto& options = conv.options();
  return graph.add({.kind = GraphNode::Kind::convolution,
                    .name = name,
                    .inputs = {input},
                    .layer = &conv.weight(),
                    .geometry = {.stride = options.stride, .padding = options.padding},
                    .branch = branch});
}

size_t append_norm(Graph& graph, const std::string& name, const Norm& norm, size_t input, Branch branch) {
  const auto [alpha, beta] = norm.constants();
  return graph.add({.kind = GraphNode::Kind::norm,
                    .name = name,
                    .inputs = {input},
                    .alpha = branch.part(alpha),
                    .beta = branch.part(beta)});
}

void Pass::tap_block(const at::Tensor& branch, const at::Tensor& sum) {
  if (plan == nullptr) return;
  taps.push_back(plan->after_add ? sum : branch);
  blocks.push_back(sum);
}

std::vector<ConvOptions> Block::main_path() const {
  const auto [in, width, stride] = std::tuple(shape_.in, shape_.width, shape_.stride);
  if (!shape_.bottleneck)
    return {{.in = in, .out = width, .kernel = 3, .stride = stride, .padding = 1},
            {.in = width, .out = width, .kernel = 3, .padding = 1}};
  return {{.in = in, .out = width},
          {.in = width, .out = width, .kernel = 3, .stride = stride, .padding = 1},
          {.in = width, .out = shape_.out()}};
}

Block::Layer& Block::add_layer(const ConvOptions& options, NormList& norms, int64_t norm_channels) {
  const auto number = std::to_string(layers_.size() + 1);
  auto conv = std::make_unique<QuantConv>(options, style_.precision, LayerPosition::inner, !style_.at_output);
  register_module("conv" + number, conv->module());
  layers_.push_back({.conv = std::move(conv), .norm = norms.add(*this, "bn" + number, norm_channels)});
  return layers_.back();
}

void Block::append_tap_shapes(const TapPlan& plan, int64_t& stride, std::vector<TapShape>& shapes) const {
  const auto path = main_path();
  for (size_t i = 0; i < path.size(); ++i) {
    stride *= path[i].stride;
    if (plan.per_layer || i + 1 == path.size()) shapes.push_back({.channels = path[i].out, .stride = stride});
  }
}

void Block::append_layers(std::vector<QuantizedWeight*>& layers) {
  for (auto& layer : layers_) layers.push_back(&layer.conv->weight());
  if (shortcut_.conv) layers.push_back(&shortcut_.conv->weight());
}

void Block::bypass(bool on) {
  for (auto& layer : layers_) layer.conv->bypass(on);
  if (shortcut_.conv) shortcut_.conv->bypass(on);
}

std::shared_ptr<Block> make_block(const BlockShape& shape, const BlockStyle& style, NormList& norms) {
  if (style.kind == "pre-act") return make_preactivation_block(shape, style, norms);
  if (style.kind == "bireal" || style.kind == "group") return make_shortcut_block(shape, style, norms);
  AUXBENCH_CHECK(style.kind == "post-act", "a kind of block there is");
  return make_residual_block(shape, style, norms);
}

}  // namespace auxbench
