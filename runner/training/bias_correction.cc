#include "runner/training/bias_correction.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "base/torch_prelude.h"
#include "models/weights.h"
#include "quantizers/quantized_layers.h"

namespace auxbench {
namespace {

using Kind = GraphNode::Kind;

// The node that reads this one, when it is one alone.
const GraphNode* only_reader(const Graph& graph, size_t index, size_t& reader) {
  const GraphNode* found = nullptr;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const auto input : graph.nodes[i].inputs) {
      if (input != index) continue;
      if (found != nullptr) return nullptr;
      found = &graph.nodes[i];
      reader = i;
    }
  }
  return found;
}

// A group norm takes its mean from what it normalises.
bool shifts_by_channel(const GraphNode& node) {
  return node.kind == Kind::bias || (node.kind == Kind::norm && node.alpha.defined());
}

std::string bias_name(const GraphNode& node) { return node.kind == Kind::norm ? node.name + ".bias" : node.name; }

// A layer and the norms or biases that stand alone behind its convolutions, one for each map it computes.
struct Corrected {
  QuantizedWeight* layer;
  std::vector<size_t> behind;  // nodes
};

// In the order they compute.
std::vector<Corrected> layers_with_bias(const Graph& graph) {
  std::vector<Corrected> all;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].kind != Kind::convolution) continue;
    size_t reader = 0;
    const auto* behind = only_reader(graph, i, reader);
    if (behind == nullptr || !shifts_by_channel(*behind)) continue;
    const auto* layer = graph.nodes[i].layer;
    const auto known = std::find_if(all.begin(), all.end(), [=](const auto& each) { return each.layer == layer; });
    if (known == all.end())
      all.push_back({.layer = graph.nodes[i].layer, .behind = {reader}});
    else
      known->behind.push_back(reader);
  }
  std::erase_if(all, [&](const Corrected& each) {
    return std::any_of(each.behind.begin(), each.behind.end(), [&](size_t node) {
      return bias_name(graph.nodes[node]) != bias_name(graph.nodes[each.behind.front()]);
    });
  });
  return all;
}

// Sums a layer's outputs by channel.
class ChannelMean {
 public:
  void add(const at::Tensor& y) {
    const auto sum = y.to(at::kDouble).sum({0, 2, 3});
    sum_ = sum_.defined() ? sum_ + sum : sum;
    count_ += y.numel() / y.size(1);
  }
  [[nodiscard]] at::Tensor mean() const { return sum_ / count_; }

 private:
  at::Tensor sum_;
  int64_t count_ = 0;
};

}  // namespace

BiasCorrection::BiasCorrection(Network& network, const std::vector<at::Tensor>& batches)
    : network_(network), batches_(batches) {
  AUXBENCH_CHECK(!network.module().is_training(), "a network in evaluation mode");
  const auto tensors = named_tensors(network.module());
  const auto graph = network.graph();
  for (const auto& [layer, behind] : layers_with_bias(graph))
    layers_.push_back(
        {.weight = layer, .node = behind.front(), .bias = tensors.at(bias_name(graph.nodes[behind.front()]))});
  std::vector<size_t> all(layers_.size());
  std::iota(all.begin(), all.end(), size_t{0});
  const auto means = means_of(all);
  for (size_t i = 0; i < layers_.size(); ++i) layers_[i].wanted = means[i];
}

void BiasCorrection::correct(size_t i) {
  const at::NoGradGuard no_gradient;
  auto& layer = layers_.at(i);
  const auto error = means_of({i}).front() - layer.wanted;
  layer.bias.sub_(error.to(layer.bias.scalar_type()));
}

// E[y], by the norm as it is now.
std::vector<at::Tensor> BiasCorrection::means_of(const std::vector<size_t>& layers) const {
  const at::NoGradGuard no_gradient;
  std::vector<ChannelMean> sums(layers.size());
  for (size_t i = 0; i < layers.size(); ++i)
    layers_[layers[i]].weight->watch([sum = &sums[i]](const LayerPass& pass) { sum->add(pass.output); });
  for (const auto& batch : batches_) network_.forward(batch);
  for (const auto i : layers) layers_[i].weight->watch({});
  const auto graph = network_.graph();
  std::vector<at::Tensor> means;
  for (size_t i = 0; i < layers.size(); ++i) {
    const auto& node = graph.nodes[layers_[layers[i]].node];
    auto mean = sums[i].mean();
    if (node.alpha.defined()) mean = mean * node.alpha.to(at::kDouble);
    means.push_back(mean + node.beta.to(at::kDouble));
  }
  return means;
}

}  // namespace auxbench
