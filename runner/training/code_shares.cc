#include "runner/training/code_shares.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/check.h"
#include "base/torch_prelude.h"
#include "quantizers/quantized_layers.h"

namespace auxbench {
namespace {

using Kind = GraphNode::Kind;

constexpr int64_t kImages = 500, kBatch = 100;
constexpr int64_t kBoxedImages = 50;  // one at a time, as they are evaluated

// Every code that the range allows, as encode() would return them.
at::Tensor all_codes(const Codes& coded) {
  return at::arange(coded.range.first, coded.range.last + 1, coded.range.step, coded.codes.options());
}

// How many there are of each code of the range. What is NaN in a network that overflows has no code.
at::Tensor count_codes(const Codes& coded) {
  const auto& range = coded.range;
  auto codes = coded.codes.detach().flatten();
  if (const auto numbers = codes.isfinite(); !numbers.all().item<bool>()) codes = codes.masked_select(numbers);
  const auto index = codes.sub(range.first).div(range.step).to(at::kLong);
  return at::bincount(index, {}, (range.last - range.first) / range.step + 1).cpu();
}

double share(const at::Tensor& count, int64_t all) { return count.item<double>() / static_cast<double>(all); }

// The activations of one quantizer, batch by batch.
class ActivationCounts {
 public:
  [[nodiscard]] std::optional<ActivationShares> shares() const {
    if (!counts_.defined()) return std::nullopt;
    const auto all = counts_.sum().item<int64_t>();
    if (all == 0) return std::nullopt;
    return ActivationShares{.levels = levels_,
                            .most = share(counts_.max(), all),
                            .top = share(counts_[top_], all),
                            .beyond = static_cast<double>(beyond_) / static_cast<double>(all)};
  }

  void add(Quantizer& quantizer, const at::Tensor& given) {
    const at::AutoGradMode gradients(true);
    const auto x = given.detach().clone().set_requires_grad(true);
    const auto coded = quantizer.encode(x);
    if (coded.range.last < coded.range.first) return;
    levels_ = quantizer.levels();
    const auto values = decode(coded);
    values.backward(at::ones_like(values), /*retain_graph=*/false, /*create_graph=*/false, at::TensorList(x));
    const auto back = x.grad();
    const at::NoGradGuard no_more;
    auto whole = coded;
    whole.codes = all_codes(coded);
    whole.edge.reset();
    const auto of_code = decode(whole);
    top_ = of_code.argmax().item<int64_t>();
    // What lies below a grid from zero is the activation function's, not the clip's.
    auto at_end = values.eq(of_code.max());
    if (of_code.min().item<double>() < 0) at_end = at_end.logical_or(values.eq(of_code.min()));
    beyond_ += at_end.logical_and_(back.eq(0)).sum().item<int64_t>();
    const auto counts = count_codes(coded);
    counts_ = counts_.defined() ? counts_ + counts : counts;
  }

 private:
  at::Tensor counts_;  // by code; undefined before the first batch
  int64_t levels_ = 0, top_ = 0, beyond_ = 0;
};

std::optional<WeightShares> weight_shares(QuantizedWeight& layer) {
  auto* quantizer = layer.weight_quantizer();
  if (quantizer == nullptr) return std::nullopt;
  const auto coded = quantizer->encode(layer.values());
  if (coded.range.last < coded.range.first) return std::nullopt;
  const auto counts = count_codes(coded);
  const auto all = counts.sum().item<int64_t>();
  if (all == 0) return std::nullopt;
  return WeightShares{
      .levels = quantizer->levels(), .most = share(counts.max(), all), .ends = share(counts[0] + counts[-1], all)};
}

// The quantizer whose codes a layer's node reads; pooling between them keeps the levels. Null: none.
Quantizer* quantizer_before(const Graph& graph, size_t node) {
  while (graph.nodes[node].inputs.size() == 1) {
    node = graph.nodes[node].inputs.front();
    const auto kind = graph.nodes[node].kind;
    if (kind == Kind::quantization) return graph.nodes[node].quantizer;
    if (kind != Kind::max_pool) return nullptr;
  }
  return nullptr;
}

}  // namespace

std::vector<LayerCodes> code_shares(Network& network, const Images& images, const ComputeOptions& where) {
  AUXBENCH_CHECK(!network.module().is_training(), "a network in evaluation mode");
  const at::NoGradGuard no_gradient;
  const auto graph = network.graph();
  std::map<Quantizer*, ActivationCounts> counts;
  network.watch_quantizers([&](Quantizer& quantizer, const at::Tensor& x) { counts[&quantizer].add(quantizer, x); });
  const int64_t batch = images->boxed() ? 1 : kBatch, most = images->boxed() ? kBoxedImages : kImages / kBatch;
  TensorLoader loader(images, {.batch = batch, .shuffle = false, .epochs = 1}, where);
  for (int64_t i = 0; i < std::min(loader.batches(), most); ++i) network.forward(loader.take(0, i).images);
  network.watch_quantizers({});
  std::vector<LayerCodes> layers;
  std::set<const QuantizedWeight*> listed;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto& node = graph.nodes[i];
    // Of a layer in branches, or one that computes several maps, one node stands for all: its quantizers are the layer's.
    if (node.kind != Kind::convolution || !listed.insert(node.layer).second) continue;
    LayerCodes layer = {.layer = node.name, .activations = {}, .weights = weight_shares(*node.layer)};
    if (auto* quantizer = quantizer_before(graph, i)) layer.activations = counts[quantizer].shares();
    if (layer.activations || layer.weights) layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace auxbench
