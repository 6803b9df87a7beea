#include "models/graph_ops.h"

#include <utility>

#include "base/torch_prelude.h"

namespace auxbench {

using Kind = GraphNode::Kind;

std::string GraphOps::full_name(LayerName name) const {
  return prefix_ + name.text + (name.number == 0 ? "" : std::to_string(name.number)) + suffix_;
}

FeatureMap GraphOps::append(GraphNode node) { return {.nodes = {graph_.add(std::move(node))}}; }

FeatureMap GraphOps::quantized(const std::string& layer, Quantizer* quantizer, const FeatureMap& x) {
  if (quantizer == nullptr) return x;
  return append(
      {.kind = Kind::quantization, .name = layer + ".input_quantizer", .inputs = x.nodes, .quantizer = quantizer});
}

FeatureMap GraphOps::convolution(LayerName name, QuantConv& conv, const FeatureMap& x) {
  const auto full = full_name(name);
  const auto input = quantized(full, conv.weight().input_quantizer(), x);
  const auto& options = conv.options();
  const auto product = append({.kind = Kind::convolution,
                               .name = full,
                               .inputs = input.nodes,
                               .layer = &conv.weight(),
                               .geometry = {.stride = options.stride, .padding = options.padding},
                               .with_norm = options.norm,
                               .branch = branch_});
  return conv.bias().defined() ? with_bias(full, conv.bias(), product) : product;
}

FeatureMap GraphOps::with_bias(const std::string& layer, const at::Tensor& bias, const FeatureMap& x) {
  return append({.kind = Kind::bias, .name = layer + ".bias", .inputs = x.nodes, .beta = branch_.part(bias.detach())});
}

FeatureMap GraphOps::norm(LayerName name, const Norm& norm, const FeatureMap& x) {
  const auto [alpha, beta] = norm.constants();
  return append({.kind = Kind::norm,
                 .name = full_name(name),
                 .inputs = x.nodes,
                 .alpha = branch_.part(alpha),
                 .beta = branch_.part(beta)});
}

FeatureMap GraphOps::activation(LayerName name, const Activation& activation, const FeatureMap& x) {
  const auto full = full_name(name);
  if (auto* quantizer = activation.quantizer())
    return append({.kind = Kind::quantization, .name = full, .inputs = x.nodes, .quantizer = quantizer});
  return append({.kind = Kind::activation, .name = full, .inputs = x.nodes, .activation = activation.function()});
}

FeatureMap GraphOps::activation(LayerName name, const Activation& activation, FeatureMap&& x) {
  return this->activation(name, activation, std::as_const(x));
}

FeatureMap GraphOps::add(LayerName name, FeatureMap&& y, const FeatureMap& x) {
  return append({.kind = Kind::sum, .name = full_name(name), .inputs = {y.nodes.front(), x.nodes.front()}});
}

FeatureMap GraphOps::max_pool(LayerName name, const FeatureMap& x) {
  return append({.kind = Kind::max_pool, .name = full_name(name), .inputs = x.nodes});
}

FeatureMap GraphOps::average_pool(LayerName name, const FeatureMap& x) {
  return append({.kind = Kind::average_pool, .name = full_name(name), .inputs = x.nodes});
}

FeatureMap GraphOps::upsample(LayerName name, const FeatureMap& x, const FeatureMap& like) {
  return append({.kind = Kind::upsample, .name = full_name(name), .inputs = {x.nodes.front(), like.nodes.front()}});
}

FeatureMap GraphOps::mean(LayerName name, const FeatureMap& x, bool /*in_double*/) {
  return append({.kind = Kind::mean, .name = full_name(name), .inputs = x.nodes});
}

FeatureMap GraphOps::linear(LayerName name, QuantLinear& layer, const FeatureMap& x) {
  const auto full = full_name(name);
  const auto input = quantized(full, layer.weight().input_quantizer(), x);
  const auto product = append(
      {.kind = Kind::convolution, .name = full, .inputs = input.nodes, .layer = &layer.weight(), .with_norm = false});
  return with_bias(full, layer.bias(), product);
}

FeatureMap GraphOps::branches(int64_t count, bool same_input, const FeatureMap& x,
                              const std::function<FeatureMap(const FeatureMap&)>& branch) {
  FeatureMap outputs;
  for (int64_t b = 0; b < count; ++b) {
    branch_ = {.index = b, .of = count};
    suffix_ = "." + std::to_string(b);
    outputs.nodes.push_back(branch({.nodes = {x.nodes.at(same_input ? 0 : static_cast<size_t>(b))}}).nodes.front());
  }
  branch_ = {};
  suffix_.clear();
  return outputs;
}

FeatureMap GraphOps::weighted_sum(LayerName name, const at::Tensor& weights, const FeatureMap& x) {
  return append({.kind = Kind::weighted_sum, .name = full_name(name), .inputs = x.nodes, .weights = weights.detach()});
}

FeatureMap GraphOps::blend(LayerName name, const at::Tensor& gates, const FeatureMap& x, const FeatureMap& y) {
  const at::NoGradGuard no_gradient;
  const auto own = gates.sigmoid(), rest = 1 - own;
  FeatureMap outputs;
  for (int64_t b = 0; b < gates.size(0); ++b)
    outputs.nodes.push_back(graph_.add({.kind = Kind::blend,
                                        .name = full_name(name) + "." + std::to_string(b),
                                        .inputs = {x.nodes.at(static_cast<size_t>(b)), y.nodes.front()},
                                        .weights = at::stack({own[b], rest[b]})}));
  return outputs;
}

void GraphOps::answer(Answer answer, int64_t level, const FeatureMap& x) {
  graph_.outputs.push_back({.name = answer_name(answer, level), .node = x.nodes.front()});
}

}  // namespace auxbench
