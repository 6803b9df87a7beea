// Weights of a detector's auxiliary module as a start for one beside unshared heads.
#pragma once

#include "base/files/safetensors.h"
#include "models/weights.h"

namespace auxbench {

// Where `targets`, the tensors of such a module (detector_method.h), have one path for each level and `contents` have one
// for all, each level's starts as it: a detector with shared heads starts one with unshared heads, as in the replicated
// paper. Everything else stays as it is, for load_tensors to refuse what does not fit.
SafeTensors as_detector_module(SafeTensors contents, const NamedTensors& targets);

}  // namespace auxbench
