#include "models/graph.h"

#include "base/check.h"

namespace auxbench {

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
    case GraphNode::Kind::mean:
      return "mean";
    case GraphNode::Kind::weighted_sum:
      return "weighted-sum";
    case GraphNode::Kind::blend:
      return "blend";
  }
  AUXBENCH_CHECK(false, "a kind of node there is");
}

}  // namespace auxbench
