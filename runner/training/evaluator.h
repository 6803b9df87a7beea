// Evaluation of the network alone: training methods are no argument here.
#pragma once

#include "datasets/sources/image_source.h"
#include "models/network.h"
#include "runner/tasks/task.h"
#include "runner/tasks/tensor_loader.h"

namespace auxbench {

// The network must be in evaluation mode. Images with boxes pass one at a time: what a network says of an image depends on
// its padding, and so on nothing but itself.
Evaluation evaluate(const Task& task, const CellSpec& cell, Network& network, const Images& images,
                    const ComputeOptions& where);

}  // namespace auxbench
