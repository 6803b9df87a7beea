// Weights of a network that is nearly a detector, as a start for it.
//
//   a classifier's weights    become the backbone's ("conv1.weight" "backbone.body.conv1.weight"); the classifier goes,
//                             pyramid and heads stay as they were drawn
//   shared heads              each level's own tower starts as the shared one
//   one norm for all levels   each level's own norm starts as it
//
// So a detector at full precision with shared heads starts one at low precision with unshared heads, as in the
// replicated paper. The other way round is no start, and load_tensors refuses it.
#pragma once

#include <string>

#include "base/files/safetensors.h"
#include "models/weights.h"

namespace auxbench {

// `contents` with the names of `targets`, the tensors of a network; as they are where that is no detector, or where names
// fit already. What is missing or left over otherwise stays so, for load_tensors or import_tensors to refuse. place: as
// theirs.
SafeTensors as_detector_weights(SafeTensors contents, const NamedTensors& targets, const std::string& place);

}  // namespace auxbench
