// Evaluation of the network alone: training methods are no argument here.
#pragma once

#include "datasets/sources/image_source.h"
#include "models/network.h"
#include "runner/tasks/task.h"
#include "runner/tasks/tensor_loader.h"

namespace auxbench {

// The network must be in evaluation mode.
Evaluation evaluate(const Task& task, Network& network, const Images& images, const ComputeOptions& where);

}  // namespace auxbench
