// Gradient clipping by the global norm (Pascanu et al. 2013, arXiv 1211.5063, algorithm 1):
//
//   g <- g * min(1, bound / |g|),   |g| the L2 norm of all gradients together
//
// Called between the processes' bringing their gradients together and the optimiser, so that the norm is that of the
// gradient that is stepped along, the same on every process. Nothing is read back from a device.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace auxbench {

// Parameters without a gradient are left alone. `bound` > 0. A gradient that is not finite makes all of them so: the
// loss of the next step says that the training diverged.
void clip_gradients(const std::vector<at::Tensor>& parameters, double bound);

}  // namespace auxbench
