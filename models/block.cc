#include "models/block.h"

#include "base/check.h"

namespace auxbench {

namespace {

BlockKind block_kind(const std::string& name) {
  if (name == "pre-act") return BlockKind::pre_act;
  if (name == "bireal") return BlockKind::bireal;
  if (name == "group") return BlockKind::group;
  AUXBENCH_CHECK(name == "post-act", "a kind of block that exists, not " + name);
  return BlockKind::post_act;
}

}  // namespace

BlockStyle BlockStyle::of(const NetworkOptions& options) {
  AUXBENCH_CHECK(!options.zero_init || (options.block != "pre-act" && options.skip),
                 "blocks that end in a norm beside a shortcut, for zero_init");
  return {.kind = block_kind(options.block),
          .skip = options.skip,
          .activation = activation_function(options.activation),
          .at_output = options.precision.quantizes() && options.quantize_at == "block-output",
          .zero_init = options.zero_init,
          .bases = options.bases,
          .norms_learn = !options.frozen_norms,
          .precision = options.precision};
}

Activation BlockStyle::make_activation() const {
  if (!at_output) return Activation(activation);
  return {activation, layer_quantizer(precision, Role::activation, precision.activation_bits)};
}

void Activation::register_in(torch::nn::Module& owner, const std::string& name) {
  if (!quantizer_) return;
  quantizer_->allocate_state(at::empty({0}));
  register_quantizer(owner, name, *quantizer_);
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
  auto own = options;
  own.norm = style_.norms_learn;
  auto conv = std::make_unique<QuantConv>(own, style_.precision, LayerPosition::inner, !style_.at_output);
  register_module("conv" + number, conv->module());
  const bool last = layers_.size() + 1 == main_path().size();
  const auto start = style_.zero_init && last ? NormStart::zero : NormStart::identity;
  layers_.push_back({.conv = std::move(conv), .norm = norms.add(*this, "bn" + number, norm_channels, start)});
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
  switch (style.kind) {
    case BlockKind::post_act:
      return make_residual_block(shape, style, norms);
    case BlockKind::pre_act:
      return make_preactivation_block(shape, style, norms);
    case BlockKind::bireal:
    case BlockKind::group:
      return make_shortcut_block(shape, style, norms);
  }
  AUXBENCH_CHECK(false, "a kind of block that exists");
}

}  // namespace auxbench
