// From a cell's spec to the options of its network.
#pragma once

#include <memory>

#include "models/network.h"
#include "runner/tasks/task.h"

namespace auxbench {

// How the cell's network is quantized; quantizes nothing for a cell of full precision.
PrecisionPlan precision_of(const CellSpec& cell);

// What a ResNet of the cell is built by: a classifier, or a detector's backbone.
NetworkOptions network_options(const CellSpec& cell, const DataShape& data, Precision precision);

// A network that ends in DataShape::classes outputs, on the CPU, in float32, with weights drawn from torch's generator.
std::unique_ptr<Network> make_cell_network(const CellSpec& cell, const DataShape& data, Precision precision);

}  // namespace auxbench
