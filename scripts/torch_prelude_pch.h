// For .cc files: what the build precompiles for all files with torch.
#pragma once

#include "base/torch_prelude.h"
