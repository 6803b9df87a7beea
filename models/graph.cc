#include "models/graph.h"

#include "base/check.h"
#include "base/torch_prelude.h"
#include "quantizers/quantized_layers.h"

namespace auxbench {

at::Tensor Branch::part(const at::Tensor& all) const {
  return all.defined() && all.dim() > 0 ? all.chunk(of)[static_cast<size_t>(index)] : all;
}

const char* kind_name(GraphNode::Kind kind) {
  switch (kind) {
    case GraphNode::Kind::image:
      return "image";
    case GraphNode::Kind::quantization:
      return "quantization";
    case GraphNode::Kind::convolution:
      return "convolution";
    case GraphNode::Kind::norm:
      return "norm";
    case GraphNode::Kind::activation:
      return "activation";
    case GraphNode::Kind::sum:
      return "sum";
    case GraphNode::Kind::bias:
      return "bias";
    case GraphNode::Kind::max_pool:
      return "max-pool";
    case GraphNode::Kind::average_pool:
      return "average-pool";
    case GraphNode::Kind::upsample:
      return "upsample";
    case GraphNode::Kind::mean:
      return "mean";
    case GraphNode::Kind::weighted_sum:
      return "weighted-sum";
    case GraphNode::Kind::blend:
      return "blend";
  }
  AUXBENCH_CHECK(false, "a kind of node there is");
}

std::string answer_name(Answer answer, int64_t level) {
  const auto of_level = [&](const char* name) { return std::string(name) + "." + std::to_string(level); };
  switch (answer) {
    case Answer::logits:
      return "logits";
    case Answer::classes:
      return of_level("classes");
    case Answer::boxes:
      return of_level("boxes");
    case Answer::centreness:
      return of_level("centreness");
  }
  AUXBENCH_CHECK(false, "an answer there is");
}

Codes encoded_weights(const GraphNode& convolution) {
  auto weights = convolution.layer->encoded(convolution.with_norm);
  weights.codes = convolution.branch.part(weights.codes);
  weights.scale = convolution.branch.part(weights.scale);
  // [k] is every channel's, not a row for each.
  if (weights.basis.defined() && weights.basis.dim() == 2) weights.basis = convolution.branch.part(weights.basis);
  return weights;
}

}  // namespace auxbench
