// The names of a network's tensors without what others' tools put before them.
#pragma once

#include <set>
#include <string>

#include "base/files/safetensors.h"

namespace auxbench {

// "module." (DataParallel), "_orig_mod." (torch.compile), "_fsdp_wrapped_module." and "_checkpoint_wrapped_module." are
// taken off wherever they stand, and so are the first words that all names share ("model.", "net.backbone.") where a name
// of `wanted`, the network's, stands behind them. A name of `wanted` stays as it is. Throws UserError(data_missing)
// "PLACE: WHAT" where two names become one.
SafeTensors plain_names(SafeTensors contents, const std::set<std::string>& wanted, const std::string& place);

}  // namespace auxbench
