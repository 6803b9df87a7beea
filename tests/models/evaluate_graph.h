// A network's graph carried out node by node, from the graph's contract alone. For .cc files of tests.
#pragma once

#include <map>
#include <string>

#include "models/graph.h"

namespace auxbench {

// The outputs by name. images [N, C, H, W]; no gradient.
std::map<std::string, at::Tensor> evaluate_graph(const Graph& graph, const at::Tensor& images);

}  // namespace auxbench
