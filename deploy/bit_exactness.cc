#include "deploy/bit_exactness.h"

#include "base/check.h"
#include "base/torch_prelude.h"
#include "deploy/executor.h"
#include "deploy/frozen_quantizer.h"

namespace auxbench {
namespace {

using Kind = GraphNode::Kind;

at::Tensor per_channel(const at::Tensor& numbers) { return numbers.view({1, -1, 1, 1}); }

// One node, from the graph's contract alone.
Codes evaluate(const GraphNode& node, const std::vector<Codes>& all, const at::Tensor& images) {
  const auto input = [&](size_t i) -> const Codes& { return all[node.inputs[i]]; };
  const auto x = [&](size_t i) { return decode(input(i)); };
  switch (node.kind) {
    case Kind::image:
      return {.codes = images};
    case Kind::quantization:
      return node.quantizer->encode(x(0));
    case Kind::convolution:
      return {.codes = exact_conv_on_codes(input(0), encoded_weights(node), node.geometry)};
    case Kind::norm:
      return {.codes = x(0).mul(per_channel(node.alpha)).add(per_channel(node.beta))};
    case Kind::bias:
      return {.codes = x(0).add(per_channel(node.beta))};
    case Kind::activation:
      return {.codes = activate(node.activation, x(0))};
    case Kind::sum:
      return {.codes = x(0) + x(1)};
    case Kind::max_pool:
      return {.codes = at::max_pool2d(x(0), {3, 3}, {2, 2}, {1, 1})};
    case Kind::average_pool:
      return {.codes = at::avg_pool2d(x(0), {2, 2}, {2, 2}, {0, 0}, /*ceil_mode=*/true, /*count_include_pad=*/false)};
    case Kind::upsample: {
      const auto like = input(1).codes;
      return {.codes = at::upsample_nearest2d(x(0), {like.size(2), like.size(3)})};
    }
    case Kind::mean:
      return {.codes = x(0).to(at::kDouble).mean({2, 3}, /*keepdim=*/true).to(at::kFloat)};
    case Kind::weighted_sum:
    case Kind::blend: {
      auto sum = x(0) * node.weights[0];
      for (size_t i = 1; i < node.inputs.size(); ++i) sum = sum + x(i) * node.weights[static_cast<int64_t>(i)];
      return {.codes = sum};
    }
  }
  AUXBENCH_CHECK(false, "a kind of node there is");
}

// The numbers an integer network keeps for codes: where they have a basis, their places in the order of levels.
at::Tensor as_kept(const Codes& coded) {
  if (!coded.basis.defined()) return coded.codes;
  const auto order = level_order(coded.basis);
  auto places = at::empty({std::ssize(order)}, at::kFloat);
  for (size_t u = 0; u < order.size(); ++u) places[order[u]] = static_cast<float>(u);
  return places.index_select(0, coded.codes.to(at::kLong).flatten()).view(coded.codes.sizes());
}

}  // namespace

std::optional<Divergence> first_divergence(Network& network, const FrozenNetwork& frozen, const at::Tensor& images) {
  const at::NoGradGuard no_gradient;
  const auto graph = network.graph();
  const auto batch = images.to(at::kFloat).contiguous();
  Executor engine(frozen.network, {.batch = batch.size(0), .keep_values = true});
  engine.run({batch.const_data_ptr<float>(), static_cast<size_t>(batch.numel())});
  std::vector<Codes> all;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    all.push_back(evaluate(graph.nodes[i], all, batch));
    const auto value = frozen.value_of_node[i];
    if (value == kNoValue) continue;
    const auto expected = as_kept(all.back()).permute({0, 2, 3, 1}).contiguous().flatten();
    const auto found = at::tensor(engine.value(value), at::kFloat);
    const auto difference = (expected - found).abs();
    const auto count = difference.ne(0).sum().item<int64_t>();
    if (count == 0) continue;
    return Divergence{.layer = graph.nodes[i].name,
                      .values = count,
                      .largest = difference.max().item<double>(),
                      .codes = graph.nodes[i].kind == Kind::quantization};
  }
  return std::nullopt;
}

}  // namespace auxbench
