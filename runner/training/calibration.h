// Post-training quantization of one cell: ranges from a few images, then, where the method learns it, each weight's
// rounding, layer by layer.
//
// 1. The network computes at full precision; every layer's quantizers observe its weights and inputs.
// 2. Reconstruction, in the order layers compute: the layer's inputs are those of the network quantized so far (its own
//    input quantized too), its target what the full-precision layer makes of full-precision inputs, before its norm.
//    A layer that computes maps of several sizes (images of several sizes, a detector's shared heads) learns from one size
//    a step, drawn by how many maps have it.
//    Norms are not folded: rounding is decided for each output channel alone, so that folding would only weigh channels
//    differently against the regulariser. Adam; beta falls linearly from 20 to 2 after a warm-up of a fifth, during
//    which the regulariser is off (quantizers/adaround.h has the loss). Constants: lr 1e-3, lambda 0.01 (BRECQ's).
// 3. `reestimate_norms`: the statistics of batch norms, which are another network's, are taken anew from the quantized
//    one (norm_statistics.h). 4. `correct_bias`: the means that are left wrong are brought back (bias_correction.h).
// Short beside training and started over when it was interrupted: there is no checkpoint.
#pragma once

#include "runner/training/trainer.h"

namespace auxbench {

TrainOutcome calibrate(Experiment& experiment, const Dataset& data, const std::string& cell_id, Progress& progress);

}  // namespace auxbench
