#include "tests/models/evaluate_graph.h"

#include "base/check.h"
#include "base/torch_prelude.h"
#include "quantizers/code_conv.h"
#include "quantizers/quantizer.h"

namespace auxbench {
namespace {

using NodeKind = GraphNode::Kind;

at::Tensor by_channel(const at::Tensor& numbers) { return numbers.view({1, -1, 1, 1}); }

// Pixel floor(i from / to), one row and one column after the other.
at::Tensor nearest(const at::Tensor& x, int64_t height, int64_t width) {
  const auto pixels = [](int64_t from, int64_t to) {
    std::vector<int64_t> found;
    for (int64_t i = 0; i < to; ++i) found.push_back(i * from / to);
    return at::tensor(found, at::kLong);
  };
  return x.index_select(2, pixels(x.size(2), height)).index_select(3, pixels(x.size(3), width));
}

Codes evaluate_node(const GraphNode& node, const std::vector<Codes>& all, const at::Tensor& images) {
  const auto x = [&](size_t i) { return decode(all[node.inputs[i]]); };
  switch (node.kind) {
    case NodeKind::image:
      return {.codes = images};
    case NodeKind::quantization:
      return node.quantizer->encode(x(0));
    case NodeKind::convolution:
      return {.codes = exact_conv_on_codes(all[node.inputs[0]], encoded_weights(node), node.geometry)};
    case NodeKind::norm:
      return {.codes = x(0).mul(by_channel(node.alpha)).add(by_channel(node.beta))};
    case NodeKind::bias:
      return {.codes = x(0).add(by_channel(node.beta))};
    case NodeKind::activation:
      return {.codes = activate(node.activation, x(0))};
    case NodeKind::sum:
      return {.codes = x(0) + x(1)};
    case NodeKind::max_pool:
      return {.codes = at::max_pool2d(x(0), {3, 3}, {2, 2}, {1, 1})};
    case NodeKind::upsample:
      return {.codes = nearest(x(0), x(1).size(2), x(1).size(3))};
    case NodeKind::mean:
      return {.codes = x(0).to(at::kDouble).mean({2, 3}, /*keepdim=*/true).to(at::kFloat)};
    default:
      AUXBENCH_CHECK(false, std::string("a kind of node that networks in this test have, not ") + kind_name(node.kind));
  }
}

}  // namespace

std::map<std::string, at::Tensor> evaluate_graph(const Graph& graph, const at::Tensor& images) {
  const at::NoGradGuard no_gradient;
  std::vector<Codes> all;
  for (const auto& node : graph.nodes) all.push_back(evaluate_node(node, all, images));
  std::map<std::string, at::Tensor> outputs;
  for (const auto& [name, node] : graph.outputs) outputs[name] = decode(all.at(node));
  return outputs;
}

}  // namespace auxbench
